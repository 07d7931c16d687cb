// Keeps a page up to date: follows the live feed, loads the page again when something of it changed,
// and swaps the parts marked data-live. All words come from the server.

const pill = document.getElementById("live");
const banner = document.getElementById("broken");
const SILENCE_MS = 25_000; // the feed beats every 10 s
const RETRY_MS = 10_000; // after an answer that the browser does not retry by itself
const SPACING_MS = 1_500; // between two loads of the page
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short" });
const UNITS = [[172_800, 86_400, "day"], [3600, 3600, "hour"], [60, 60, "minute"], [0, 1, "second"]];

let source = null;
let lastNews = Date.now();
let skew = 0; // the server's clock minus ours
let loading = false;
let wanted = null;
let retry = null;

if (document.getElementById("filter")) document.documentElement.classList.add("scripted");

// --- ages ---------------------------------------------------------------------------------------

function spell(timeMs) {
  const seconds = Math.max(0, (Date.now() + skew - timeMs) / 1000);
  const [, size, unit] = UNITS.find(([least]) => seconds >= least);
  return relative.format(-Math.max(unit === "second" ? 1 : 0, Math.floor(seconds / size)), unit);
}

function age() {
  for (const element of document.querySelectorAll("time[data-age][datetime]")) {
    const text = spell(Date.parse(element.dateTime));
    if (element.textContent !== text) element.textContent = text;
  }
}

function tick() {
  age();
  if (source && Date.now() - lastNews > SILENCE_MS) lost();
}

// --- the page -----------------------------------------------------------------------------------

function isBusy(part) {
  const field = [...part.querySelectorAll("textarea, select, input:not([type=hidden])")];
  return field.some((one) => one === document.activeElement || (one.value !== (one.defaultValue ?? "")));
}

function swap(fresh) {
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const next = fresh.getElementById(part.id);
    if (!next || isBusy(part) || next.outerHTML === part.dataset.given) continue;
    const opened = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
    const known = new Set([...part.querySelectorAll("[data-incident]")].map((one) => one.dataset.incident));
    const given = next.outerHTML;
    const focus = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    part.replaceWith(next);
    next.dataset.given = given;
    for (const id of opened) next.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
    for (const one of next.querySelectorAll("[data-incident]")) {
      if (!known.has(one.dataset.incident)) one.classList.add("new");
    }
    if (focus) next.querySelector(`[href="${CSS.escape(focus)}"]`)?.focus();
  }
  filter();
  document.dispatchEvent(new Event("vigia:fresh"));
}

async function load() {
  wanted = null;
  loading = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload(); // the session is over
    if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // the feed says whether we are connected
  } finally {
    loading = false;
  }
}

function refresh() {
  if (wanted === null) wanted = setTimeout(() => (loading ? ((wanted = null), refresh()) : load()), SPACING_MS * Math.random());
}

// --- the feed -----------------------------------------------------------------------------------

function show(state) {
  if (!pill) return;
  pill.dataset.state = state;
  pill.textContent = { live: pill.dataset.liveWord, wait: pill.dataset.waitWord, broken: pill.dataset.brokenWord }[state];
  banner.hidden = state !== "broken";
  age();
}

function heard(event) {
  lastNews = Date.now();
  const since = document.getElementById("lastnews");
  since.dateTime = new Date(lastNews + skew).toISOString();
  show("live");
  return event.data ? JSON.parse(event.data) : {};
}

function lost() {
  show("broken");
  source?.close();
  source = null;
  clearTimeout(retry);
  retry = setTimeout(connect, RETRY_MS);
}

function concerns(data, kind) {
  const [what, id] = pill.dataset.watch.split(/:(.*)/);
  if (what === "overview") return kind !== "seen";
  if (what === "site") return data.site === id || (data.sites ?? []).includes(id);
  return what === "incident" && String(data.incident) === id;
}

function connect() {
  clearTimeout(retry);
  source?.close();
  let first = true;
  source = new EventSource(pill.dataset.url);
  source.addEventListener("hello", (event) => {
    skew = heard(event).now_ms - Date.now();
    if (!first || document.documentElement.dataset.was) refresh();
    document.documentElement.dataset.was = "1";
    first = false;
  });
  source.addEventListener("beat", heard);
  source.addEventListener("reset", (event) => { heard(event); refresh(); });
  for (const kind of ["change", "site", "seen"]) {
    source.addEventListener(kind, (event) => { if (concerns(heard(event), kind)) refresh(); });
  }
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) { lost(); refresh(); }
    else show("broken");
  });
}

// --- the filter of the overview -----------------------------------------------------------------

function filter() {
  const form = document.getElementById("filter");
  if (!form) return;
  const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
  const status = form.elements.status.value;
  let shown = 0;
  for (const row of document.querySelectorAll("#sites > li")) {
    const fits = (!status || row.dataset.status === status) && words.every((word) => row.dataset.text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById("nothing").hidden = shown > 0;
}

document.getElementById("filter")?.addEventListener("input", filter);
setInterval(tick, 1000);
if (pill?.dataset.watch) {
  show("wait");
  connect();
  window.addEventListener("offline", lost);
  window.addEventListener("online", connect);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
}
