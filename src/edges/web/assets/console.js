// Makes the console's pages live, adds keys and relative times. Everything works without it.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // -- time: durations move on, moments are shown in the reader's zone --------------------------------------------
  const span = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000)), m = Math.floor(s / 60), h = Math.floor(m / 60);
    if (m < 1) return s + " s";
    if (h < 1) return m + " min";
    if (h < 48) return m % 60 ? h + " h " + (m % 60) + " min" : h + " h";
    return Math.floor(h / 24) + " days";
  };
  const two = (n) => String(n).padStart(2, "0");
  // The server's clock decides: the reader's may be wrong.
  const skew = Number(document.body.dataset.now || Date.now()) - Date.now();
  const tick = (root = document) => {
    const now = Date.now() + skew;
    for (const t of all("time[data-ago]", root)) {
      const d = now - Number(t.dataset.ago);
      t.textContent = d < 0 ? "in " + span(-d) : span(d) + " ago";
    }
    for (const t of all("time[data-since]", root)) t.textContent = span(now - Number(t.dataset.since));
    for (const t of all("time[data-clock]", root)) {
      const d = new Date(Number(t.dataset.clock));
      const hm = two(d.getHours()) + ":" + two(d.getMinutes());
      const near = Math.abs(now - d.getTime()) < 12 * 3600e3;
      t.textContent = near ? hm : d.getFullYear() + "-" + two(d.getMonth() + 1) + "-" + two(d.getDate()) + " " + hm;
    }
  };
  tick();
  setInterval(tick, 10000);

  // -- live: the stream says that something changed, the page asks for itself and swaps the parts that differ ------
  const state = $("[data-link-state]");
  const say = (word) => { if (state) { state.dataset.linkState = word; state.textContent = word; } };
  let busy = false, again = false;
  const signature = (part) => part.innerHTML.replace(/name="(nonce|csrf)" value="[^"]*"/g, "").replace(/<time[^]*?<\/time>/g, "");
  // What the server sent last, so that our own changes (times) do not count as news.
  const seen = new Map(all("[data-live-part]").map((part) => [part.id, signature(part)]));
  // The session or the incident is gone. A draft is not thrown away: its writer decides.
  const leave = () => {
    if ($("#say")?.value.trim()) say("signed out: keep your draft, then reload"); else location.reload();
  };
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { "Smokejumper-Live": "1" }, credentials: "same-origin" });
      if (answer.status === 401 || answer.status === 404) { leave(); return; }
      if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the stream will say when the server is back */ }
    busy = false;
    if (again) { again = false; refresh(); }
  };
  const swap = (fresh) => {
    for (const part of all("[data-live-part]")) {
      const next = fresh.getElementById(part.id);
      if (!next || seen.get(part.id) === signature(next)) continue;
      seen.set(part.id, signature(next));
      // Focus stays where it was, as far as the same thing is still there.
      const held = part.contains(document.activeElement) ? all("a,button", part).indexOf(document.activeElement) : -1;
      const words = held >= 0 ? document.activeElement.textContent : "";
      const opened = new Set(all("details[open]", part).map((d) => d.id));
      part.replaceChildren(...next.childNodes);
      for (const d of all("details", part)) if (d.id && opened.has(d.id)) d.open = true;
      tick(part);
      if (held >= 0) all("a,button", part).find((e) => e.textContent === words)?.focus();
    }
  };
  let stream = null, wait = null;
  const listen = () => {
    if (stream || document.hidden || !document.body.dataset.live) return;
    stream = new EventSource(document.body.dataset.live);
    // What happened while nobody listened is shown by one look.
    stream.addEventListener("hello", () => { say("live"); refresh(); });
    stream.addEventListener("changed", refresh);
    stream.onerror = () => {
      say("reconnecting");
      if (stream && stream.readyState === EventSource.CLOSED) { stream = null; clearTimeout(wait); wait = setTimeout(() => { refresh(); listen(); }, 3000); }
    };
  };
  // A browser has few connections to one host: a page nobody sees gives its one back.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { stream?.close(); stream = null; say("paused"); } else listen();
  });
  addEventListener("pagehide", () => { stream?.close(); stream = null; });
  addEventListener("pageshow", listen);
  listen();

  // -- keys --------------------------------------------------------------------------------------------------------
  const writing = (e) => /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.target.isContentEditable;
  addEventListener("keydown", (e) => {
    if (e.target.id === "say" && e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); e.target.form.requestSubmit(); return; }
    if (e.key === "Escape" && writing(e)) { e.target.blur(); return; }
    if (writing(e) || e.ctrlKey || e.metaKey || e.altKey) return;
    const go = { "/": () => $("#say")?.focus(), s: () => $("input[name=q]")?.focus(), g: () => { location.href = "/"; } }[e.key];
    if (go) { e.preventDefault(); go(); }
  });

  // What was not understood comes back to be corrected: typing replaces it, an arrow key edits it.
  const draft = $("#say");
  if (draft?.value) { draft.focus(); draft.select(); }

  // -- forms: one press is one press ---------------------------------------------------------------------------------
  addEventListener("submit", (e) => {
    if (e.target.dataset.sent) { e.preventDefault(); return; }
    if (e.target.method === "post") e.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => delete form.dataset.sent));
})();
