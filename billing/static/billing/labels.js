// Gives the search field of a choice of several its label. Select2 makes that field without one, and may make it again.
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    name();
    new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  });
  function name() {
    for (const field of document.querySelectorAll("select + .select2 input.select2-search__field:not([aria-label])")) {
      const label = field.closest(".select2").previousElementSibling.labels[0];
      if (label) field.setAttribute("aria-label", label.textContent.replace("*", "").trim());
    }
  }
})();
