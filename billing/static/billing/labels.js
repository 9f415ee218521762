// Gives names to what Unfold and Select2 leave without one, also to what is made later: the search field of a choice of
// several, the buttons of searches, and icons, whose text is the name of a picture and would be read aloud.
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    name();
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  });
  const REACHED = "a[href], button, input, select, summary, [tabindex], #changelist-filter-close";
  const ICON = ".material-symbols-outlined";
  function name() {
    // what widgets of forms open by a click alone: their templates are not ours
    for (const opens of document.querySelectorAll(`[x-on\\:click]:not(${REACHED})`)) {
      opens.tabIndex = 0;
      opens.setAttribute("role", "button");
      const words = opens.cloneNode(true);
      for (const icon of words.querySelectorAll(ICON)) icon.remove();
      const hasName = opens.title || (words.textContent.trim() && !opens.matches(ICON));
      if (!hasName) opens.setAttribute("aria-label", "More");
      opens.addEventListener("keydown", event => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        opens.click();
      });
    }
    for (const icon of document.querySelectorAll(`${ICON}:not([aria-hidden], [role])`)) {
      if (icon.title) {
        icon.setAttribute("role", "img");
        icon.setAttribute("aria-label", icon.title);
      } else icon.setAttribute("aria-hidden", "true");
    }
    document.querySelector("nav .simplebar-content-wrapper")?.setAttribute("aria-label", "Menu");
    for (const button of document.querySelectorAll(":is(#searchbar-submit, #command-submit):not([aria-label])")) {
      button.setAttribute("aria-label", "Search");
    }
    for (const chosen of document.querySelectorAll("select + .select2 .select2-selection__rendered[role=textbox]")) {
      const label = chosen.closest(".select2").previousElementSibling.labels[0];
      const says = [label?.textContent.replace("*", "").trim(), chosen.title].filter(Boolean).join(": ");
      if (says) chosen.setAttribute("aria-label", says);
    }
    for (const field of document.querySelectorAll("select + .select2 input.select2-search__field:not([aria-label])")) {
      const label = field.closest(".select2").previousElementSibling.labels[0];
      if (label) field.setAttribute("aria-label", label.textContent.replace("*", "").trim());
    }
  }
})();
