// Carries messages between the page in its frame and Python. The page says hello; it learns by the answer that there is a kernel.
export default {
  render({ model }) {
    const fromPython = ({ frame, state }) => {
      document.getElementById(frame)?.contentWindow?.postMessage({ explorer: "state", state }, "*");
    };
    // A frame does not see what it stands on: light or dark is what the notebook is, not what the system prefers.
    const ground = (element) => {
      for (let e = element; e; e = e.parentElement) {
        const [r, g, b, a = 1] = (getComputedStyle(e).backgroundColor.match(/[\d.]+/g) || [0, 0, 0, 0]).map(Number);
        if (a > 0.5) return 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
      }
      return "";
    };
    const fromPage = (event) => {
      const frame = document.getElementById(model.get("frame"));
      if (!frame || event.source !== frame.contentWindow || !event.data || event.data.explorer !== "wish") return;
      const theme = event.data.message.hello && ground(frame.parentElement);
      if (theme) frame.contentWindow.postMessage({ explorer: "theme", theme }, "*");
      model.send(event.data.message);
    };
    model.on("msg:custom", fromPython);
    addEventListener("message", fromPage);
    document.getElementById(model.get("frame"))?.contentWindow?.postMessage({ explorer: "hello" }, "*"); // it may have said so before anyone listened
    return () => {
      model.off("msg:custom", fromPython);
      removeEventListener("message", fromPage);
    };
  },
};
