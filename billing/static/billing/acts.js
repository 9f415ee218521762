// Copies what a button names, and lets Escape lead back from the page of an act. Without it, the text can be selected.
(() => {
  "use strict";
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("button[data-copies]").forEach(offer);
    const field = document.querySelector("input[data-selected]");
    if (field) field.select();
  });
  document.addEventListener("keydown", (pressed) => {
    const back = document.querySelector("a[data-back]");
    const isOpen = document.querySelector(".select2-container--open, dialog[open], [aria-modal=true]");
    if (pressed.key === "Escape" && back && !isOpen && !pressed.defaultPrevented) back.click();
  });
  function offer(button) {
    const field = document.getElementById(button.dataset.copies);
    const told = document.getElementById(button.dataset.tells);
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
        told.textContent = "Copied.";
      } catch {
        told.textContent = "This browser does not let the page copy. Press Ctrl and C: the link is selected.";
      }
    });
  }
})();
