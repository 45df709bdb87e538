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

// News: one stream for all tabs of this browser, as HTTP/1.1 allows six connections to a host. The tab that holds
// the lock has the stream and tells the others; when it closes, another tab takes over.
const POLL_MS = 20000;
const BUNDLE_MS = 300;
const tabs = new BroadcastChannel("herhaal-news");
const waiting = new Set();
let bundling = false;

function liveParts() {
  return [...document.querySelectorAll("[data-live]")];
}

// Ten events in a second make one change of the page.
function tell(news) {
  waiting.add(news.order);
  if (bundling) return;
  bundling = true;
  setTimeout(() => {
    bundling = false;
    const orders = new Set(waiting);
    waiting.clear();
    for (const part of liveParts()) {
      if (orders.has(null) || part.dataset.live === "all" || orders.has(part.dataset.live)) {
        htmx.trigger(part, "changed");
      }
    }
  }, BUNDLE_MS);
}

function over() {
  const notices = document.getElementById("notices");
  if (notices && !notices.hasChildNodes()) {
    notices.append(document.getElementById("logged-out").content.cloneNode(true));
  }
}

function follow() {
  return new Promise((stopped) => {
    const source = new EventSource("/events");
    source.addEventListener("changed", (event) => {
      const news = JSON.parse(event.data);
      tell(news);
      tabs.postMessage(news);
    });
    source.addEventListener("over", () => {
      source.close();
      over();
      tabs.postMessage("over");
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      // No stream: ask now and then.
      const poll = setInterval(() => {
        if (!document.hidden) tell({ order: null });
      }, POLL_MS);
      addEventListener("pagehide", () => clearInterval(poll));
    });
    addEventListener("pagehide", () => {
      source.close();
      stopped();
    });
  });
}

tabs.addEventListener("message", (event) => (event.data === "over" ? over() : tell(event.data)));

addEventListener("DOMContentLoaded", () => {
  if (!liveParts().length) return;
  if (navigator.locks) navigator.locks.request("herhaal-news", follow);
  else follow();
});

// What changed is read out once, in a place that was there before; the focus stays where it is.
document.addEventListener("htmx:before:swap", (event) => {
  const part = event.target?.closest?.("[data-live]");
  if (part) part.dataset.before = part.innerText;
});
document.addEventListener("htmx:after:swap", (event) => {
  const part = event.target?.closest?.("[data-live]");
  const said = part?.querySelector("[data-news]");
  const news = document.getElementById("news");
  if (!part || !said || !news || part.dataset.before === part.innerText) return;
  news.textContent = said.dataset.news || said.textContent.trim();
  document.title = document.title.replace(/^.*? – /, `${news.textContent} – `);
});
