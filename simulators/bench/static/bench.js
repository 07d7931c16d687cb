// Keeps the page up to date: loads it again every second and swaps the parts marked data-live, but none that
// somebody is using. What is turned or pressed goes out as JSON. All words come from the server.

const EVERY_MS = 1000;
const lost = document.getElementById("lost");
const trouble = document.getElementById("trouble");
let loading = null;

function isBusy(part) {
  const active = document.activeElement;
  if (active && part.contains(active) && active.matches("input:not([type=checkbox]), select")) return true;
  return [...part.querySelectorAll("form input")].some((one) => one.value !== one.defaultValue);
}

function swap(fresh) {
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const next = fresh.getElementById(part.id);
    if (!next || isBusy(part)) continue;
    const given = next.outerHTML;
    if (given === part.dataset.given) continue;
    const pressed = part.contains(document.activeElement) ? document.activeElement : null;
    const same = pressed && (pressed.name ? `[name="${pressed.name}"]` : `[data-post="${pressed.dataset.post}"]`);
    part.replaceWith(next);
    next.dataset.given = given;
    if (same) next.querySelector(same)?.focus({ preventScroll: true });
  }
}

async function fresh() {
  try {
    const answer = await fetch("/", { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  } finally {
    loading = null;
  }
}

function load() {
  loading ??= fresh();
  return loading;
}

async function post(what, body) {
  trouble.hidden = true;
  try {
    const answer = await fetch(`/api/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) {
      trouble.textContent = (await answer.json()).error;
      trouble.hidden = false;
    }
  } catch {
    lost.hidden = false;
  }
  await loading; // what is on its way may show what was before
  await load();
}

function valueOf(field) {
  if (field.type === "checkbox") return field.checked ? "on" : "off";
  return field.value === "" ? field.dataset.empty : field.value;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-post]");
  if (button) post(button.dataset.post, JSON.parse(button.dataset.body ?? "{}"));
});

document.addEventListener("input", (event) => {
  const slider = event.target.closest("[data-knob] input[type=range]");
  if (slider) slider.closest("label").querySelector("output").textContent = `${slider.value} ${slider.dataset.unit}`;
});

document.addEventListener("change", (event) => {
  const field = event.target.closest("[data-knob] input, [data-knob] select");
  if (!field) return;
  if (field.type !== "checkbox") field.blur();
  post("set", { [field.name]: valueOf(field) });
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-form]");
  if (!form) return;
  event.preventDefault();
  const body = Object.fromEntries(new FormData(form));
  document.activeElement?.blur();
  for (const field of form.querySelectorAll("input")) field.defaultValue = field.value;
  post(form.dataset.form, body);
});

setInterval(load, EVERY_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) load(); });
