// Improves pages that work without it: suggestions, adding without leaving, live order status, undo.

document.documentElement.classList.add("js");

const api = async (path, options = {}) => {
  const answer = await fetch(path, { headers: { accept: "application/json", ...options.headers }, ...options });
  const body = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw Object.assign(new Error(body?.detail ?? "That did not work."), { status: answer.status, body });
  return { body, etag: answer.headers.get("etag") };
};
const send = (path, method, body, headers = {}) =>
  api(path, { method, body: body && JSON.stringify(body), headers: { ...(body && { "content-type": "application/json" }), "idempotency-key": crypto.randomUUID?.() ?? String(Math.random()).slice(2) + Date.now(), ...headers } });
// The words of a service as a sentence. A message about a field begins with its pointer, which becomes the field's name, as `words.rs` does it.
const field = (pointer) => pointer.split("/").filter(Boolean).reduce((names, part) => {
  if (/^\d+$/.test(part) && names.length) names.push(`${names.pop().replace(/ies$/, "y").replace(/s$/, "")} ${Number(part) + 1}`);
  else names.push(part.replace(/~1/g, "/").replace(/~0/g, "~").replace(/_/g, " ").replace(/\b(sku|id)(s?)\b/g, (_, name, many) => name.toUpperCase() + many));
  return names;
}, []).join(", ");
const sentence = (text) => {
  const words = text.replace(/\.+$/, "").replace(/^(\/\S*) /, (_, pointer) => `${field(pointer)} `);
  return words && `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
};
const one = (selector, root = document) => root.querySelector(selector);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// The count in the header ticks.
const count = (units) => {
  const place = one("[data-count]");
  if (!place || place.textContent === String(units || "")) return;
  place.textContent = units || "";
  place.classList.remove("ticks");
  requestAnimationFrame(() => place.classList.add("ticks"));
};

// Suggestions: a combobox with a list (ARIA Authoring Practices).
const suggest = (input) => {
  const list = make("ul", { className: "suggestions", id: "suggestions", role: "listbox", hidden: true });
  list.setAttribute("aria-label", "Suggestions");
  input.after(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "suggestions", "aria-autocomplete": "list" })) input.setAttribute(name, value);
  let chosen = -1, timer, asked = 0;
  const items = () => [...list.children];
  const choose = (index) => {
    chosen = index;
    items().forEach((item, place) => item.setAttribute("aria-selected", place === index));
    if (index >= 0) input.setAttribute("aria-activedescendant", items()[index].id);
    else input.removeAttribute("aria-activedescendant");
  };
  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); choose(-1); };
  const open = (suggestions) => {
    list.replaceChildren(...suggestions.map((found, place) => {
      const item = make("li", { id: `suggestion-${place}`, role: "option", textContent: found.text });
      if (found.category) item.append(make("span", { className: "quiet", textContent: "Category" }));
      item.dataset.href = found.href;
      return item;
    }));
    list.hidden = suggestions.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
    choose(-1);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    const typed = input.value.trim();
    if (typed.length < 2) return close();
    timer = setTimeout(async () => {
      const mine = ++asked;
      const found = await api(`/api/v1/suggestions?q=${encodeURIComponent(typed)}`).catch(() => null);
      if (mine === asked && found && document.activeElement === input) open(found.body.suggestions);
    }, 120);
  });
  input.addEventListener("keydown", (event) => {
    const size = items().length;
    if (event.key === "Escape") { if (!list.hidden) { close(); event.preventDefault(); } return; }
    if (list.hidden || size === 0) return;
    if (event.key === "ArrowDown") { choose((chosen + 1) % size); event.preventDefault(); }
    if (event.key === "ArrowUp") { choose((chosen + size - (chosen < 0 ? 0 : 1)) % size); event.preventDefault(); }
    if (event.key === "Enter" && chosen >= 0) { event.preventDefault(); location.assign(items()[chosen].dataset.href); }
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => { const item = event.target.closest("li"); if (item) location.assign(item.dataset.href); });
  input.addEventListener("blur", () => setTimeout(close, 100));
};

// Adding stays on the page.
const adds = (form) => {
  const said = one("[data-said]", form), price = one("[data-price]");
  form.addEventListener("change", (event) => { if (event.target.dataset.price && price) price.textContent = event.target.dataset.price; });
  const checked = one("input[name=sku]:checked", form);
  if (checked?.dataset.price && price) price.textContent = checked.dataset.price;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form), button = one("button[type=submit]", form);
    button.disabled = true;
    try {
      const { body } = await send("/api/v1/cart/lines", "POST", { sku: fields.get("sku"), quantity: Number(fields.get("quantity")) });
      count(body.quantity);
      said.replaceChildren("It is in your cart. ", make("a", { href: "/cart", textContent: "Go to your cart" }));
      listen();
    } catch (error) {
      if (!error.status) return form.submit();
      said.textContent = sentence(error.message);
    } finally {
      button.disabled = false;
    }
  });
};

// Removing can be undone.
const undoes = (table) => {
  // "Update" is there once there is something to update.
  const differs = (input) => { one("[data-update]", input.form).hidden = input.value === input.defaultValue; };
  table.querySelectorAll("input[name=quantity]").forEach(differs);
  table.addEventListener("input", (event) => { if (event.target.name === "quantity") differs(event.target); });
  table.addEventListener("submit", async (event) => {
    if (event.submitter?.name !== "remove") return;
    event.preventDefault();
    const row = event.target.closest("tr"), version = event.target.elements.version.value;
    const quantity = Number(one("input[name=quantity]", row).defaultValue);
    const name = row.dataset.title;
    try {
      await send(`/api/v1/cart/lines/${row.dataset.line}`, "DELETE", null, { "if-match": `"v${version}"` });
      sessionStorage.setItem("undo", JSON.stringify({ sku: row.dataset.sku, quantity, name }));
      location.reload();
    } catch {
      location.reload();
    }
  });
};
const offerUndo = () => {
  const kept = location.pathname === "/cart" && sessionStorage.getItem("undo");
  sessionStorage.removeItem("undo");
  if (!kept) return;
  const { sku, quantity, name } = JSON.parse(kept);
  const button = make("button", { type: "button", className: "plain", textContent: "Undo" });
  const note = make("p", { className: "notice" }, `${name} is out of your cart. `, button);
  note.setAttribute("role", "status");
  one("h1").after(note);
  button.addEventListener("click", async () => { await send("/api/v1/cart/lines", "POST", { sku, quantity }).catch(() => null); location.reload(); });
  button.focus();
};

// News over one socket, resumed from the last id.
// It starts where the page was made, so that nothing between the page and the socket is missed.
let socket, last = one("[data-session]")?.dataset.session, pause = 1000;
const listen = () => {
  if (socket || !("WebSocket" in window)) return;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/ws${last ? `?last_event_id=${encodeURIComponent(last)}` : ""}`);
  // The order was read before the news began: what happened in between is asked for once.
  socket.addEventListener("open", () => { pause = 1000; if (one("[data-order]")) refresh(); });
  socket.addEventListener("message", (event) => {
    const news = JSON.parse(event.data);
    last = news.id ?? last;
    if (news.type === "cart.changed") count(news.quantity);
    const here = news.order_id && one(`[data-order="${CSS.escape(news.order_id)}"]`);
    if (news.type === "reset" || here) refresh();
  });
  socket.addEventListener("close", (event) => {
    socket = undefined;
    if (event.code === 4401) return location.reload();
    setTimeout(listen, pause);
    pause = Math.min(pause * 2, 60000);
  });
};
// The count in the header and the order on the page, as they are now.
const refresh = async () => {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  count(one("[data-count]", fresh)?.textContent);
  const before = one("[data-order]"), after = one("[data-order]", fresh);
  if (!before || !after) return;
  // The headline is read aloud when it changes, so it is left alone when it did not.
  if (before.dataset.state !== after.dataset.state) one("[data-live]").replaceChildren(...one("[data-live]", after).childNodes);
  if (!one(".with-summary :focus", before)) one(".with-summary", before).replaceWith(one(".with-summary", after));
  before.dataset.state = after.dataset.state;
  document.title = fresh.title;
};

const search = one("#q");
if (search) suggest(search);
document.querySelectorAll("[data-add]").forEach(adds);
document.querySelectorAll("[data-cart]").forEach(undoes);
offerUndo();
one("[data-errors]")?.focus();
const wide = matchMedia("(min-width: 60rem)");
const sheets = () => document.querySelectorAll("[data-sheet]").forEach((sheet) => { sheet.open = wide.matches; });
sheets();
wide.addEventListener("change", sheets);
const sheet = one("[data-sheet]");
const closeSheet = () => { sheet.open = false; one("summary", sheet).focus(); };
if (sheet) {
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && sheet.open && !wide.matches) closeSheet(); });
  document.addEventListener("click", (event) => { if (sheet.open && !wide.matches && !sheet.contains(event.target)) { event.preventDefault(); closeSheet(); } });
}
// With arrow keys every step is a choice, so at a keyboard the button sends it.
document.querySelectorAll(".sort select, .choose select").forEach((select) =>
  select.addEventListener("change", () => { if (!select.matches(":focus-visible")) select.form.requestSubmit(); }));
// A dialog asks what a page of its own would ask.
document.addEventListener("click", (event) => {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const opens = event.target.closest("[data-opens]"), closes = event.target.closest("dialog [data-closes]");
  const dialog = opens ? document.getElementById(opens.dataset.opens) : closes?.closest("dialog");
  if (!dialog?.showModal) return;
  event.preventDefault();
  if (!opens) return dialog.close();
  dialog.showModal();
  // What changes nothing is what Enter presses.
  one("[data-closes]", dialog)?.focus();
});
const checkout = one("[data-checkout]");
checkout?.addEventListener("change", (event) => { if (event.target.name === "method") one("[data-requote]").click(); });
checkout?.addEventListener("submit", ({ submitter }) => {
  // After the browser has read the form: paying takes a moment, and once is enough.
  if (submitter?.formAction.endsWith("/pay")) setTimeout(() => { submitter.disabled = true; submitter.textContent = "Paying…"; });
});
addEventListener("pageshow", (event) => { if (event.persisted && checkout) location.reload(); });

// The picture of a card becomes the picture of its product's page, and goes back to its place.
const named = (address) => {
  const path = address && new URL(address).pathname;
  if (!path?.startsWith("/products/")) return;
  const picture = [...document.querySelectorAll(".card a")].find((card) => card.pathname === path)?.querySelector("img");
  if (!picture || one(".pictures")) return;
  picture.style.viewTransitionName = "picture";
  return picture;
};
const moves = (event, address) => {
  // A transition that the browser gives up is no failure.
  event.viewTransition?.ready.catch(() => {});
  event.viewTransition?.finished.catch(() => {});
  event.viewTransition?.updateCallbackDone.catch(() => {});
  const picture = event.viewTransition && named(address);
  const done = () => { picture.style.viewTransitionName = ""; };
  if (picture) event.viewTransition.finished.then(done, done);
};
addEventListener("pageswap", (event) => moves(event, event.activation?.entry?.url));
addEventListener("pagereveal", (event) => moves(event, globalThis.navigation?.activation?.from?.url));
if (one("[data-session]")) listen();
