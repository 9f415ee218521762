// Warns one minute before the session ends, and leaves the page when it has. The server ends it in any case.
// The cookie says: the server's second when it was set, the second in which the session ends, and why.
(() => {
  "use strict";
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
  function watch() {
    const WARN = 60;
    const read = () => (document.cookie.match(/(?:^|; )session_ends=(\d+)\.(\d+)\.(\w+)/) || []).slice(1);
    const [told] = read();
    if (!told) return;
    const ahead = Date.now() / 1000 - Number(told); // this clock may differ from the server's
    const box = document.createElement("div");
    const says = document.createElement("span");
    const stay = document.createElement("button");
    box.className = "session-ends";
    box.setAttribute("role", "alert");
    box.hidden = true;
    stay.type = "button";
    stay.textContent = "Stay signed in";
    stay.addEventListener("click", () => fetch("/account/", { credentials: "same-origin" }).then(show));
    box.append(says, stay);
    document.body.append(box);
    let shown = false;
    function show() {
      const [, ends, why] = read(); // another tab may have put it off
      const left = ends ? Number(ends) - (Date.now() / 1000 - ahead) : -WARN;
      if (left < -2) { // both moments are rounded: sooner, the server might still let the page be loaded again
        window.location.replace(window.location.pathname + window.location.search);
        return;
      }
      box.hidden = left > WARN;
      if (left > WARN) shown = false;
      else if (!shown) {
        shown = true; // said once: a text that changes each second would be read aloud each second
        stay.hidden = why !== "idle";
        says.textContent = why === "idle"
          ? "You will be signed out in a minute, because nothing was asked for some time."
          : "You will be signed out in a minute, because you signed in hours ago. Finish what you are doing.";
      }
    }
    show();
    window.setInterval(show, 1000);
  }
})();
