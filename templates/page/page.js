"use strict";
// Draws the accounts and the incidents from the JSON beside it. Every text goes in as text.
const data = JSON.parse(document.getElementById("data").textContent);
const DENSE_ABOVE = 120;
const MOST_INCIDENT_ROWS = 40;
const find = (id) => document.getElementById(id);
const make = (tag, values, ...children) => {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...children);
  return element;
};
const marked = (element, state) => {
  element.dataset.state = data.states[state].key;
  return element;
};
const sign = (state) => marked(make("span", { className: "sign", ariaHidden: "true" }, data.states[state].sign), state);
const many = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const accounts = data.accounts.map((row) => {
  const [id, name, unit, ring, state, amiss, found, facts] = row;
  const path = data.units[unit];
  return { id, name, unit, ring: data.words[ring], state, amiss, found, facts, text: `${name}\n${id}\n${path}`.toLowerCase() };
});
const byId = new Map(accounts.map((account) => [account.id, account]));
let wanted = { q: "", state: "" };
let chosen = null;

function searched(text) {
  return wanted.q.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function matches(account) {
  if (wanted.state === "amiss" && !account.amiss) return false;
  if (wanted.state && wanted.state !== "amiss" && data.states[account.state].key !== wanted.state) return false;
  return searched(account.text);
}

function cell(account, dense) {
  const state = data.states[account.state];
  const button = marked(make("button", { type: "button" }), account.state);
  button.dataset.id = account.id;
  if (dense) {
    button.append(state.sign);
    button.title = `${account.name} ${account.id}: ${state.label}`;
    button.ariaLabel = button.title;
    button.tabIndex = -1;
    return button;
  }
  button.append(sign(account.state), make("strong", {}, account.name || account.id));
  button.append(make("span", {}, make("span", { className: "id" }, account.id), make("em", {}, `  ${state.label}`)));
  const why = data.words[account.found[0][1]];
  if (why) button.append(make("p", {}, why));
  return button;
}

function draw() {
  const shown = accounts.filter(matches);
  const dense = shown.length > DENSE_ABOVE;
  const units = new Map();
  for (const account of shown) {
    if (!units.has(account.unit)) units.set(account.unit, []);
    units.get(account.unit).push(account);
  }
  find("units").replaceChildren(...[...units].map(([unit, part]) => {
    const cells = make("div", { className: dense ? "dense" : "cards" });
    cells.append(...part.map((account) => cell(account, dense)));
    // One stop for the Tab key a unit; the arrows go on from there.
    if (dense) cells.firstChild.tabIndex = 0;
    const amiss = part.filter((account) => account.amiss).length;
    const told = many(part.length, "account") + (amiss ? `, ${amiss.toLocaleString("en")} not as wanted` : "");
    return make("div", { className: "unit" }, make("h3", {}, data.units[unit], make("small", {}, told)), cells);
  }));
  const all = shown.length === accounts.length;
  find("matches").textContent = all ? many(shown.length, "account") : `${many(shown.length, "account")} of ${accounts.length.toLocaleString("en")}`;
  for (const chip of find("chips").children) chip.ariaPressed = String(chip.value === wanted.state);
  mark();
}

function mark() {
  for (const old of document.querySelectorAll(".chosen")) old.classList.remove("chosen");
  if (chosen) find("units").querySelector(`[data-id="${CSS.escape(chosen)}"]`)?.classList.add("chosen");
}

function detail(id) {
  chosen = id;
  const panel = find("detail");
  const account = byId.get(id);
  panel.hidden = !account;
  if (account) {
    const close = make("button", { type: "button", className: "close", ariaLabel: "Close" }, "\u00d7");
    close.addEventListener("click", () => detail(null));
    const list = make("ul", {}, ...account.found.map(([state, why, todo]) => {
      const text = [make("b", {}, data.states[state].label), ` ${data.words[why]}`];
      return marked(make("li", {}, make("p", {}, ...text), make("p", { className: "fine" }, data.words[todo])), state);
    }));
    const facts = [["Account", account.id], ["OU", data.units[account.unit]], ["Ring", account.ring || "none"], ...account.facts.map(([name, value]) => [data.words[name], data.words[value]])];
    const terms = make("dl", {}, ...facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
    panel.replaceChildren(make("h2", {}, sign(account.state), account.name || account.id), close, list, terms);
  }
  mark();
}

function chips() {
  const chip = (value, ...children) => {
    const button = make("button", { type: "button", className: "chip", value }, ...children);
    button.addEventListener("click", () => go({ state: wanted.state === value ? "" : value }));
    return button;
  };
  const count = (number) => make("b", {}, number.toLocaleString("en"));
  const amiss = accounts.filter((account) => account.amiss).length;
  const parts = amiss ? [chip("amiss", "not as wanted", count(amiss))] : [];
  for (const one of parts) one.classList.add("all");
  data.states.forEach((state, number) => {
    const total = accounts.filter((account) => account.state === number).length;
    if (!total) return;
    const one = chip(state.key, sign(number), state.label, count(total));
    one.title = state.says;
    parts.push(one);
    const bar = marked(make("i", {}), number);
    bar.style.setProperty("--part", total);
    find("share").append(bar);
  });
  find("chips").append(...parts);
}

function trend() {
  const most = Math.max(1, ...data.trend.map(([count]) => count));
  find("trend").append(...data.trend.map(([count, critical], day) => {
    const bar = make("i", { title: `${data.days[day]}: ${many(count, "incident")}, ${critical} critical` });
    bar.style.setProperty("--part", count / most);
    bar.style.setProperty("--critical", count ? critical / count : 0);
    return bar;
  }));
}

// The first of a month by its name, every other day by its number.
function headed(day) {
  if (!day.endsWith("-01")) return day.slice(8);
  return new Date(`${day}T00:00Z`).toLocaleString("en", { month: "short", timeZone: "UTC" });
}

function heat(limit) {
  const found = data.incidents.filter(([id]) => searched(byId.get(id)?.text ?? id));
  const rows = found.slice(0, limit);
  if (!rows.length) {
    find("heat").replaceChildren(make("p", { className: "fine" }, "None."));
    return;
  }
  const head = make("tr", {}, make("td", { className: "sum" }), ...data.days.map((day) => make("th", { scope: "col", title: day, className: day.endsWith("-01") ? "month" : "" }, headed(day))), make("th", { scope: "col" }, "sum"));
  const body = rows.map(([id, total, days]) => {
    const cells = data.days.map(() => make("td", {}));
    for (const [day, count, critical] of days) {
      cells[day].textContent = count.toLocaleString("en") + (critical ? "!" : "");
      cells[day].className = `l${Math.min(4, 1 + Math.floor(Math.log10(count) * 2))}${critical ? " critical" : ""}`;
      cells[day].title = `${data.days[day]}: ${many(count, "incident")}, ${critical} critical`;
    }
    const name = byId.get(id)?.name ?? "not in the Organization";
    const row = make("th", { scope: "row", title: id }, name, " ", make("span", { className: "id fine" }, id));
    return make("tr", {}, row, ...cells, make("td", { className: "sum" }, total.toLocaleString("en")));
  });
  const parts = [make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))];
  const left = found.length - rows.length;
  if (left) {
    const more = make("button", { type: "button", className: "more" }, `Show ${many(left, "more account")}`);
    more.addEventListener("click", () => heat(Infinity));
    parts.push(more);
  }
  if (data.incidents_left) parts.push(make("p", { className: "fine" }, `${many(data.incidents_left, "account")} with fewer incidents left out.`));
  find("heat").replaceChildren(...parts);
}

// What is shown stands in the address, so that it can be sent on: #q=payments&state=silent
function read() {
  const asked = location.hash === "#not-as-wanted" ? new URLSearchParams("state=amiss") : new URLSearchParams(location.hash.slice(1));
  wanted = { q: asked.get("q") ?? "", state: asked.get("state") ?? "" };
  if (find("search").value !== wanted.q) find("search").value = wanted.q;
  draw();
  heat(MOST_INCIDENT_ROWS);
  if (asked.get("account")) detail(asked.get("account"));
}

function go(change) {
  const next = { ...wanted, ...change };
  const asked = new URLSearchParams(Object.entries(next).filter(([, value]) => value));
  history.replaceState(null, "", `#${asked}`);
  read();
}

find("search").addEventListener("input", (event) => go({ q: event.target.value }));
find("units").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) detail(button.dataset.id);
});
find("units").addEventListener("keydown", (event) => {
  const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
  const next = step && event.target[step];
  if (next) next.focus();
});
addEventListener("keydown", (event) => { if (event.key === "Escape") detail(null); });
addEventListener("hashchange", read);
chips();
trend();
read();
