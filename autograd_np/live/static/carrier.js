// Carries messages between the page in its frame and Python. The page says hello; it learns by the answer that there is a kernel.
export default {
  render({ model }) {
    const fromPython = ({ frame, state }) => {
      document.getElementById(frame)?.contentWindow?.postMessage({ explorer: "state", state }, "*");
    };
    const fromPage = (event) => {
      const frame = document.getElementById(model.get("frame"));
      if (!frame || event.source !== frame.contentWindow || !event.data || event.data.explorer !== "wish") return;
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
