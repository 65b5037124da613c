// Pipecat's ready-made console, over client-react, as its documentation shows it.

import { ConsoleTemplate, ThemeProvider } from "@pipecat-ai/voice-ui-kit";
import { createRoot } from "react-dom/client";
import { PlainMediaManager } from "./media_manager.js";

const query = new URLSearchParams(location.search);
const webrtcRequestParams = {
  endpoint: query.get("offer"),
  headers: new Headers({ Authorization: `Bearer ${query.get("token")}` }),
};
createRoot(document.getElementById("root")).render(
  <ThemeProvider>
    <div style={{ height: "100vh" }}>
      <ConsoleTemplate
        transportType="smallwebrtc"
        transportOptions={{ mediaManager: new PlainMediaManager() }}
        connectParams={{ webrtcRequestParams }}
        onClient={(client) => {
          window.client = client;
        }}
        clientOptions={{ enableCam: true }}
        noAutoInitDevices
      />
    </div>
  </ThemeProvider>,
);
