// Draws the charts of what is shown, and shows the segmentation that is chosen: its name stands in the address.
"use strict";
const read = (id) => JSON.parse(document.getElementById(`-${id}`).textContent);
const settings = read("settings");
const words = read("words");
const sections = [...document.querySelectorAll("main > section")];
const choice = document.getElementById("-segmentation");
const isNarrow = (place) => place.clientWidth < 480;

async function draw(place) {
  if (place.dataset.state) return;
  place.dataset.state = "drawing";
  try {
    const spec = JSON.parse(place.nextElementSibling.textContent);
    const heights = { true: spec.usermeta?.narrow_height ?? spec.height, false: spec.height };
    spec.params[0].value = isNarrow(place);
    spec.height = heights[isNarrow(place)];
    const inside = place.appendChild(document.createElement("div"));
    inside.style.width = "100%";
    inside.setAttribute("aria-hidden", "true"); // the element around it says what it is, Vega would say it otherwise
    const { view } = await vegaEmbed(inside, spec, { mode: "vega-lite", renderer: "svg", actions: false, ...settings });
    new ResizeObserver(() => {
      if (place.clientWidth && view.signal("narrow") !== isNarrow(place)) {
        view.signal("narrow", isNarrow(place)).height(heights[isNarrow(place)]).runAsync();
      }
    }).observe(place);
    place.dataset.state = "drawn";
  } catch (error) {
    place.dataset.state = "failed";
    place.textContent = words.failed;
    console.error(error);
  }
}

async function show() {
  const wanted = location.hash.slice(1); // names are a-z, 0-9 and _
  const shown = sections.find((section) => section.id === wanted) || sections[0];
  for (const section of sections) section.hidden = section !== shown;
  if (choice && shown) {
    choice.value = shown.id;
    for (const link of document.querySelectorAll("nav a[data-of-one]")) link.hash = shown.id;
  }
  window.dispatchEvent(new Event("resize")); // charts that were drawn at another width
  for (const place of shown ? shown.querySelectorAll(".chart") : []) await draw(place);
}

if (choice) {
  choice.addEventListener("change", () => {
    history.pushState(null, "", `#${choice.value}`);
    show();
  });
}
addEventListener("hashchange", show);
addEventListener("popstate", show);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => (one.open = true)));
show();
