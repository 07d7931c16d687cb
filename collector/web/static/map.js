// The facilities with a position, on a plain ground: no tiles, no other host.

const place = document.getElementById("map");
const colours = { ok: "--ok", degraded: "--degraded", dark: "--dark", hazard: "--hazard-bg", waiting: "--waiting" };
const SIZES = { ok: 6, waiting: 6, degraded: 8, dark: 10, hazard: 11 };
const map = L.map(place, { attributionControl: false, zoomSnap: 0.25, maxZoom: 19 });
const layer = L.layerGroup().addTo(map);
L.control.scale({ imperial: false }).addTo(map);

function read() {
  return JSON.parse(document.getElementById("places").dataset.places);
}

function name(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  layer.clearLayers();
  const worstLast = read().sort((a, b) => (SIZES[a.status] ?? 6) - (SIZES[b.status] ?? 6));
  for (const one of worstLast) {
    const colour = style.getPropertyValue(colours[one.status] ?? "--waiting").trim();
    L.circleMarker([one.lat, one.lon], { radius: SIZES[one.status] ?? 6, color: colour, weight: 2, fillColor: colour, fillOpacity: 0.55 })
      .bindTooltip(name(one.name))
      .on("click", () => location.assign(place.dataset.path + encodeURIComponent(one.id)))
      .addTo(layer);
  }
}

map.fitBounds(L.latLngBounds(read().map((one) => [one.lat, one.lon])).pad(0.1), { maxZoom: 15 });
draw();
document.addEventListener("vigia:fresh", draw);
place.closest("details").addEventListener("toggle", () => map.invalidateSize());
