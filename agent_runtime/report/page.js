"use strict";
(() => {
  const $$ = (id) => document.getElementById(id);
  const data = JSON.parse($$("data").textContent);
  const scroll = $$("scroll"), track = $$("track"), map = $$("map"), sound = $$("sound"), tip = $$("tip");
  const HEAD = 78, MAX_PPS = 600;
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const sides = { caller: bytes(data.caller), agent: bytes(data.agent) };
  track.style.setProperty("--length", data.length);
  const marked = [...document.querySelectorAll(".lane.decisions .mark")].map((mark) => [mark, parseFloat(mark.style.getPropertyValue("--r"))]);
  let pps = 60, now = 0;

  // --- places ---------------------------------------------------------------------------------------------------
  const room = () => scroll.clientWidth - HEAD;
  const least = () => Math.max(1, room() / data.length);
  const clock = (s) => {
    const tenths = Math.round(Math.max(0, s) * 10);
    return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
  };
  function zoomTo(wanted, anchor) {
    const low = least(), high = Math.max(MAX_PPS, low * 1.01);
    const at = anchor ?? room() / 2, second = (scroll.scrollLeft + at) / pps;
    pps = Math.min(high, Math.max(low, wanted));
    track.style.setProperty("--pps", pps);
    track.classList.toggle("near", pps > 105);
    for (const [mark, r] of marked) mark.classList.toggle("m-tight", r * pps < 52);
    scroll.scrollLeft = second * pps - at;
    $$("zoom").value = (100 * Math.log(pps / low)) / Math.log(high / low);
    paintSoon();
  }
  function seek(second, bring) {
    now = Math.min(data.length, Math.max(0, second));
    track.style.setProperty("--now", now);
    $$("now").textContent = clock(now);
    if (bring) {
      const x = now * pps - scroll.scrollLeft;
      if (x < 20 || x > room() - 60) scroll.scrollLeft = now * pps - room() / 4;
    }
    for (const line of document.querySelectorAll(".lines li")) {
      const button = line.firstElementChild;
      line.classList.toggle("active", now > 0 && +button.dataset.at <= now && now < +button.dataset.end);
    }
    paintMap();
  }
  function go(second) {
    seek(second, true);
    if (sound.src) sound.currentTime = now;
  }

  // --- canvases -------------------------------------------------------------------------------------------------
  function pen(canvas, width, height) {
    const scale = window.devicePixelRatio || 1;
    canvas.style.width = width + "px";
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    return context;
  }
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  function loudest(side, from, to) {
    let top = 0;
    const first = Math.max(0, Math.floor(from / data.bucket)), last = Math.min(side.length, Math.max(first + 1, Math.ceil(to / data.bucket)));
    for (let at = first; at < last; at++) if (side[at] > top) top = side[at];
    return top / 255;
  }
  function drawSide(context, side, from, perPixel, width, middle, reach, ink) {
    context.fillStyle = ink;
    for (let x = 0; x < width; x++) {
      const high = loudest(side, from + x * perPixel, from + (x + 1) * perPixel) * reach;
      context.globalAlpha = high > 0.5 ? 1 : 0.35;
      context.fillRect(x, middle - Math.max(0.5, high), 1, Math.max(1, 2 * high));
    }
  }
  function paint() {
    const width = Math.max(50, room()), from = scroll.scrollLeft / pps;
    for (const name of ["caller", "agent"]) {
      const context = pen($$("wave-" + name), width, 55);
      drawSide(context, sides[name], from, 1 / pps, Math.min(width, (data.length - from) * pps), 27.5, 26, color("--" + name));
    }
    const axis = pen($$("axis"), width, 22);
    axis.font = "11px system-ui, sans-serif";
    axis.fillStyle = axis.strokeStyle = color("--soft");
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300].find((s) => s * pps > 62) || 600;
    for (let n = Math.floor(from / step); n * step < from + width / pps && n * step <= data.length; n++) {
      const x = (n * step - from) * pps;
      axis.globalAlpha = 0.45;
      axis.fillRect(x, 15, 1, 7);
      axis.globalAlpha = 1;
      const label = step < 1 ? clock(n * step) : clock(n * step).slice(0, -2);
      if (x > -20) axis.fillText(label, x + 4, 14);
    }
    paintMap();
  }
  let mapBase = null;
  function paintMap() {
    const width = map.clientWidth, height = 44;
    if (!width) return;
    if (!mapBase || mapBase.at !== width + color("--caller")) {
      const canvas = document.createElement("canvas"), context = pen(canvas, width, height);
      drawSide(context, sides.caller, 0, data.length / width, width, 13, 11, color("--caller"));
      drawSide(context, sides.agent, 0, data.length / width, width, 32, 11, color("--agent"));
      mapBase = { canvas, at: width + color("--caller") };
    }
    const context = pen(map, width, height);
    map.style.width = "100%";
    context.drawImage(mapBase.canvas, 0, 0, width, height);
    const per = width / data.length, left = (scroll.scrollLeft / pps) * per, wide = Math.min(width, (room() / pps) * per);
    context.fillStyle = color("--paper");
    context.globalAlpha = 0.62;
    context.fillRect(0, 0, left, height);
    context.fillRect(left + wide, 0, width - left - wide, height);
    context.globalAlpha = 1;
    context.strokeStyle = color("--soft");
    context.strokeRect(left + 0.5, 0.5, wide - 1, height - 1);
    context.fillStyle = color("--ink");
    context.fillRect(now * per, 0, 1.5, height);
  }

  // --- moving about ---------------------------------------------------------------------------------------------
  let waiting = false;
  function paintSoon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; paint(); });
  }
  scroll.addEventListener("scroll", paintSoon, { passive: true });
  scroll.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomTo(pps * Math.exp(-event.deltaY * 0.004), event.clientX - scroll.getBoundingClientRect().left - HEAD);
  }, { passive: false });
  $$("in").onclick = () => zoomTo(pps * 1.5);
  $$("out").onclick = () => zoomTo(pps / 1.5);
  $$("fit").onclick = () => zoomTo(0);
  $$("zoom").oninput = (event) => {
    const low = least(), high = Math.max(MAX_PPS, low * 1.01);
    zoomTo(low * Math.pow(high / low, event.target.value / 100));
  };
  const mapped = (event) => ((event.clientX - map.getBoundingClientRect().left) / map.clientWidth) * data.length;
  map.addEventListener("pointerdown", (event) => {
    map.setPointerCapture(event.pointerId);
    scroll.scrollLeft = mapped(event) * pps - room() / 2;
  });
  map.addEventListener("pointermove", (event) => {
    if (map.hasPointerCapture(event.pointerId)) scroll.scrollLeft = mapped(event) * pps - room() / 2;
  });
  track.addEventListener("click", (event) => {
    const mark = event.target.closest(".mark");
    if (mark && +mark.dataset.seq) pick(+mark.dataset.seq, false);
    else go((event.clientX - track.getBoundingClientRect().left - HEAD) / pps);
  });
  $$("theme").onclick = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    mapBase = null;
    paint();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { mapBase = null; paint(); });
  for (const button of document.querySelectorAll(".lines button")) button.onclick = () => go(+button.dataset.at);

  // --- sound ----------------------------------------------------------------------------------------------------
  if (sound.dataset.src) {
    sound.src = sound.dataset.src;
    $$("play").hidden = false;
    const follow = () => {
      seek(sound.currentTime, true);
      if (!sound.paused) requestAnimationFrame(follow);
    };
    const toggle = () => {
      if (!sound.paused) return sound.pause();
      sound.currentTime = now >= data.length - 0.2 ? 0 : now;
      sound.play().catch(() => { $$("play").disabled = true; $$("play").title = "the recording does not lie beside this page"; });
    };
    $$("play").onclick = toggle;
    sound.onplay = () => { $$("play").firstElementChild.textContent = "\u275A\u275A"; follow(); };
    sound.onpause = () => { $$("play").firstElementChild.textContent = "\u25B6"; };
  }

  // --- what a mark says -----------------------------------------------------------------------------------------
  function show(mark) {
    tip.replaceChildren();
    for (const line of mark.dataset.tip.split("\n")) {
      const [name, value] = line.split("\t");
      const label = document.createElement("span"), text = document.createElement("div");
      label.textContent = name;
      text.textContent = value;
      tip.append(label, text);
    }
    if (!tip.childElementCount) return;
    tip.hidden = false;
    const box = mark.getBoundingClientRect(), size = tip.getBoundingClientRect();
    const x = Math.max(scroll.getBoundingClientRect().left + HEAD, box.left);
    tip.style.left = Math.max(8, Math.min(x, innerWidth - size.width - 8)) + "px";
    tip.style.top = (box.bottom + size.height + 12 > innerHeight ? Math.max(8, box.top - size.height - 8) : box.bottom + 8) + "px";
  }
  track.addEventListener("pointerover", (event) => {
    const mark = event.target.closest(".mark");
    if (mark) show(mark);
    else tip.hidden = true;
  });
  track.addEventListener("pointerleave", () => { tip.hidden = true; });
  track.addEventListener("focusin", (event) => {
    const mark = event.target.closest(".mark");
    if (!mark) return;
    const t = parseFloat(mark.style.getPropertyValue("--t")), x = t * pps - scroll.scrollLeft;
    if (x < 10 || x > room() - 80) scroll.scrollLeft = t * pps - room() / 3;
    requestAnimationFrame(() => show(mark));
  });
  track.addEventListener("focusout", () => { tip.hidden = true; });
  const lanes = [...document.querySelectorAll(".lane .row")].map((row) =>
    [...row.children].sort((a, b) => parseFloat(a.style.getPropertyValue("--t")) - parseFloat(b.style.getPropertyValue("--t"))));
  for (const marks of lanes) if (marks.length) marks[0].tabIndex = 0;
  function step(mark, key) {
    const lane = lanes.findIndex((marks) => marks.includes(mark)), marks = lanes[lane];
    const t = (one) => parseFloat(one.style.getPropertyValue("--t"));
    let next;
    if (key === "ArrowRight") next = marks[marks.indexOf(mark) + 1];
    if (key === "ArrowLeft") next = marks[marks.indexOf(mark) - 1];
    if (key === "ArrowDown" || key === "ArrowUp") {
      const way = key === "ArrowDown" ? 1 : -1;
      let other = lane + way;
      while (lanes[other] && !lanes[other].length) other += way;
      next = (lanes[other] || []).reduce((best, one) => (!best || Math.abs(t(one) - t(mark)) < Math.abs(t(best) - t(mark)) ? one : best), null);
    }
    if (!next) return;
    mark.tabIndex = -1;
    next.tabIndex = 0;
    next.focus({ preventScroll: true });
  }
  document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input, textarea")) return;
    if (target.matches(".mark") && event.key.startsWith("Arrow")) { event.preventDefault(); return step(target, event.key); }
    if (target.matches(".mark") && event.key === "Enter") return void pick(+target.dataset.seq, false);
    if (event.key === "+" || event.key === "=") zoomTo(pps * 1.5);
    else if (event.key === "-") zoomTo(pps / 1.5);
    else if (event.key === "0") zoomTo(0);
    else if (event.key === "Escape") tip.hidden = true;
    else if (event.key === " " && !target.matches("button, a")) { event.preventDefault(); if (sound.src) $$("play").click(); }
    else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && target === document.body) go(now + (event.key === "ArrowLeft" ? -1 : 1));
  });

  // --- the log --------------------------------------------------------------------------------------------------
  const PAGE = 200;
  let found = [], shown = 0;
  const searched = data.entries.map((entry) => `${entry[0]} ${entry[4]} ${JSON.stringify(entry[5])}`.toLowerCase());
  function fields(cell, values) {
    for (const [name, value] of Object.entries(values)) {
      const label = document.createElement("i");
      label.textContent = name + " ";
      cell.append(label, typeof value === "string" ? value : JSON.stringify(value), "  ");
    }
  }
  function rowOf(entry) {
    const [seq, ms, cause, kind, type, values] = entry, row = document.createElement("tr");
    row.className = type === "Decision" ? "d" : kind;
    row.id = "entry-" + seq;
    const cells = Array.from({ length: 5 }, () => row.insertCell());
    const time = document.createElement("button"), from = document.createElement("button");
    time.textContent = (ms / 1000).toFixed(3);
    time.onclick = () => { go(ms / 1000); scroll.scrollIntoView({ block: "nearest" }); };
    cells[0].textContent = seq;
    cells[1].append(time);
    if (cause) { from.textContent = cause; from.onclick = () => pick(cause, true); cells[2].append(from); }
    cells[3].textContent = type;
    fields(cells[4], values);
    return row;
  }
  function more() {
    const rows = document.createDocumentFragment();
    for (const entry of found.slice(shown, shown + PAGE)) rows.append(rowOf(entry));
    shown = Math.min(found.length, shown + PAGE);
    $$("rows").append(rows);
    $$("more").hidden = shown >= found.length;
    $$("count").textContent = found.length === data.entries.length ? `${found.length} entries` : `${found.length} of ${data.entries.length} entries`;
  }
  function filter() {
    const words = $$("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = document.querySelector("input[name=kind]:checked").value;
    found = data.entries.filter((entry, at) =>
      (!kind || (kind === "d" ? entry[4] === "Decision" : entry[3] === kind)) && words.every((word) => searched[at].includes(word)));
    shown = 0;
    $$("rows").replaceChildren();
    more();
  }
  function pick(seq, jump) {
    if (!found.some((entry) => entry[0] === seq)) {
      $$("words").value = "";
      document.querySelector("input[name=kind]").checked = true;
      filter();
    }
    while (!$$("entry-" + seq) && shown < found.length) more();
    for (const row of document.querySelectorAll(".picked")) row.classList.remove("picked");
    const row = $$("entry-" + seq);
    if (!row) return;
    row.classList.add("picked");
    row.scrollIntoView({ block: jump ? "center" : "nearest" });
  }
  $$("words").oninput = filter;
  for (const radio of document.querySelectorAll("input[name=kind]")) radio.onchange = filter;
  $$("more").onclick = more;

  filter();
  new ResizeObserver(() => zoomTo(pps, 0)).observe(scroll);
  zoomTo(Math.max(least(), Math.min(66, 6 * least())), 0);
  seek(0, false);
})();
