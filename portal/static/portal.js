// What the browser adds where it has JavaScript: everything a patient needs works without it.
"use strict";

// A page from the browser's memory may be of somebody who has logged out since.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// The errors of a form are what one wants to read first.
function focusErrors(within) {
  within.querySelector("[data-focus]")?.focus();
}

// Counts a text as the server does: code points, and a line break as one.
function count(field) {
  const counter = document.getElementById(`${field.id}-counter`);
  if (!counter) return;
  const length = [...field.value.replace(/\r\n?/g, "\n").trim()].length;
  const most = Number(field.dataset.most);
  counter.classList.toggle("over", length > most);
  counter.textContent = (length > most ? counter.dataset.over : counter.dataset.left)
    .replace("{n}", Math.abs(most - length));
}

addEventListener("input", (event) => {
  if (event.target.dataset?.most) count(event.target);
});

// A second click sends nothing: the first one is under way.
addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sent) {
    event.preventDefault();
    return;
  }
  event.target.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-disabled", "true");
  setTimeout(() => {
    delete event.target.dataset.sent;
    event.submitter?.removeAttribute("aria-disabled");
  }, 5000);
});

addEventListener("DOMContentLoaded", () => {
  focusErrors(document);
  document.querySelectorAll("[data-most]").forEach(count);
});
document.addEventListener("htmx:after:swap", (event) => focusErrors(event.target ?? document));
