// Draws the last 24 hours of a facility with uPlot. Gaps stay gaps; counters become rates.

const DAY_MS = 86_400_000;
const EVERY_MS = 300_000;
const AGAIN_MS = 120_000;
const HEIGHT = 160;
const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue(name).trim();
const lang = document.documentElement.lang;
const compact = new Intl.NumberFormat(lang, { notation: "compact", maximumFractionDigits: 1 });
const plain = new Intl.NumberFormat(lang, { maximumFractionDigits: 1 });
const SCALED = new Set(["bit/s"]);

function say(value, unit) {
  if (value == null) return "—";
  if (!SCALED.has(unit)) return `${plain.format(value)} ${unit}`;
  const step = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${plain.format(value / 1000 ** step)} ${["", "k", "M", "G", "T"][step]}${unit}`;
}

// A counter that went back was reset: nothing is known of that step.
function rate(points, factor) {
  return points.slice(1).map(([time, value], at) => {
    const [before, old] = points[at];
    const usable = value >= old && time - before <= 3 * EVERY_MS;
    return [time, usable ? ((value - old) * factor * 1000) / (time - before) : null];
  });
}

function table(figure, items, startMs, stopMs) {
  const names = figure.dataset.fields.split(",");
  const grid = [];
  for (let time = Math.ceil(startMs / EVERY_MS) * EVERY_MS; time <= stopMs; time += EVERY_MS) grid.push(time);
  const columns = names.map((name) => {
    const given = items.find((one) => one.field === name)?.points ?? [];
    const points = figure.dataset.rate ? rate(given, Number(figure.dataset.rate)) : given;
    const by = new Map(points.map(([time, value]) => [Math.round(time / EVERY_MS) * EVERY_MS, value]));
    return grid.map((time) => by.get(time) ?? null);
  });
  return [grid.map((time) => time / 1000), ...columns];
}

function options(figure, width) {
  const { unit, zone } = figure.dataset;
  const labels = JSON.parse(figure.dataset.labels);
  const hour = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const low = unit === "V" ? 20 : 5; // a flat line must not look like an earthquake
  return {
    width,
    height: HEIGHT,
    padding: [8, 12, 0, 0],
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), zone),
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      y: {
        range: (_plot, min, max) => {
          if (unit === "%") return [0, 100];
          if (unit === "bit/s") return [0, Math.max(1000, max * 1.1)];
          const spare = Math.max(0, low - (max - min)) / 2;
          return [Math.max(0, min - spare - 1), max + spare + 1];
        },
      },
    },
    axes: [
      { ...axis, space: 60, size: 28, gap: 4, values: (_plot, times) => times.map((time) => hour.format(time * 1000)) },
      { ...axis, size: 58, values: (_plot, values) => values.map((value) => (SCALED.has(unit) ? compact.format(value) : plain.format(value)) ) },
    ],
    series: [
      { label: figure.dataset.clock, value: (_plot, time) => (time == null ? "" : hour.format(time * 1000)) },
      ...labels.map((label, at) => ({
        label: labels.length > 1 ? label : unit,
        stroke: colour(at ? "--series-2" : "--accent"),
        width: 1.5,
        dash: at ? [5, 3] : undefined,
        fill: at || labels.length > 1 ? undefined : `${colour("--accent")}22`,
        value: (_plot, value) => say(value, unit),
      })),
    ],
  };
}

async function draw(figure) {
  const place = figure.querySelector(".plot");
  const stopMs = Date.now();
  const startMs = stopMs - DAY_MS;
  const url = `${figure.dataset.url}&start_ms=${startMs}&stop_ms=${stopMs}&every_ms=${EVERY_MS}`;
  try {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(answer.status);
    const data = table(figure, (await answer.json()).items, startMs, stopMs);
    if (!data.slice(1).some((column) => column.some((value) => value !== null))) return tell(figure, place, figure.dataset.none);
    if (figure.plot) return figure.plot.setData(data);
    place.replaceChildren();
    figure.plot = new uPlot(options(figure, place.clientWidth), data, place);
    new ResizeObserver(() => figure.plot?.setSize({ width: place.clientWidth, height: HEIGHT })).observe(figure);
  } catch {
    tell(figure, place, figure.dataset.failed);
  }
}

function tell(figure, place, text) {
  if (figure.plot) return;
  const line = document.createElement("p");
  line.textContent = text;
  place.replaceChildren(line);
}

function all() {
  for (const figure of document.querySelectorAll(".chart")) draw(figure);
}

all();
setInterval(() => { if (!document.hidden) all(); }, AGAIN_MS);
