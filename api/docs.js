"use strict";
// Draws the OpenAPI document. Everything is put in as text, never as markup.
const el = (tag, props, ...children) => {
  const e = Object.assign(document.createElement(tag), props || {});
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
};

let doc;
const resolve = (s) => (s && s.$ref ? doc.components.schemas[s.$ref.split("/").pop()] : s) || {};
const nameOf = (s) => (s && s.$ref ? s.$ref.split("/").pop() : "");

function typeOf(s) {
  if (!s) return "";
  if (s.$ref) return nameOf(s);
  if (s.type === "array") return "list of " + typeOf(s.items);
  const types = [].concat(s.type || "any").filter((t) => t !== "null");
  if (types[0] === "object" && s.additionalProperties && s.additionalProperties.type) return "map of " + s.additionalProperties.type;
  return types.join(" or ") + (s.format ? " (" + s.format + ")" : "");
}

function note(s) {
  const parts = [];
  if (s.description) parts.push(s.description);
  if (s.readOnly) parts.push("Read only.");
  if (s.enum) parts.push("One of " + s.enum.join(", ") + ".");
  if (s.default !== undefined) parts.push("Default " + s.default + ".");
  return parts.join(" ");
}

function fields(schema) {
  const s = resolve(schema);
  const rows = Object.entries(s.properties || {}).map(([name, p]) =>
    el("tr", null,
      el("td", null, el("code", { className: (s.required || []).includes(name) ? "required" : "" , textContent: name })),
      el("td", null, typeLink(p)),
      el("td", { textContent: note(p) })));
  return rows.length ? el("table", null, ...rows) : null;
}

function typeLink(s) {
  const name = nameOf(s) || nameOf(s.items);
  return name ? el("a", { href: "#schema-" + name, textContent: typeOf(s) }) : document.createTextNode(typeOf(s));
}

function operation(path, method, op) {
  const body = op.requestBody && Object.values(op.requestBody.content)[0].schema;
  const out = el("section", { id: op.operationId },
    el("h3", null, el("span", { className: "method " + method, textContent: method.toUpperCase() }), el("code", { textContent: path })),
    el("p", { textContent: op.summary + (op.description ? ". " + op.description : "") }));
  const params = (op.parameters || []).map((p) =>
    el("tr", null, el("td", null, el("code", { className: p.required ? "required" : "", textContent: p.name })),
      el("td", { textContent: p.in }), el("td", { textContent: typeOf(p.schema) }), el("td", { textContent: note({ ...p.schema, description: p.description }) })));
  if (params.length) out.append(el("h4", { textContent: "Parameters" }), el("table", null, ...params));
  if (body) {
    out.append(el("h4", null, "Body ", typeLink(body)));
    const table = fields(body);
    if (table) out.append(table);
    if (op.requestBody.description) out.append(el("p", { textContent: op.requestBody.description }));
  }
  out.append(el("h4", { textContent: "Replies" }));
  for (const [status, r] of Object.entries(op.responses || {})) {
    const [kind, media] = Object.entries(r.content || {})[0] || [];
    out.append(el("div", null, el("code", { textContent: status }), " " + (r.description || "") + " ",
      media && media.schema ? typeLink(media.schema) : kind || ""));
  }
  return out;
}

async function draw() {
  const answer = await fetch("/v2/openapi.json");
  doc = await answer.json();
  document.title = doc.info.title;
  const main = document.getElementById("document"), nav = document.getElementById("contents");
  main.replaceChildren(el("h1", { textContent: doc.info.title + " " + doc.info.version }));
  for (const text of (doc.info.description || "").split("\n\n")) main.append(el("p", { textContent: text }));
  main.append(el("p", null, el("a", { href: "/v2/openapi.json", textContent: "OpenAPI " + doc.openapi })));

  const tags = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const method of ["get", "post", "put", "patch", "delete"]) {
      const op = item[method];
      if (!op) continue;
      const tag = (op.tags || ["Other"])[0];
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push([path, method, op]);
    }
  }
  for (const [tag, ops] of tags) {
    main.append(el("h2", { textContent: tag }));
    nav.append(el("h2", { textContent: tag }));
    for (const [path, method, op] of ops) {
      main.append(operation(path, method, op));
      nav.append(el("a", { href: "#" + op.operationId, textContent: op.summary }));
    }
  }
  main.append(el("h2", { textContent: "Types" }));
  for (const name of Object.keys(doc.components.schemas)) {
    main.append(el("section", { id: "schema-" + name }, el("h3", { textContent: name }), fields(doc.components.schemas[name])));
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

draw().catch((err) => document.getElementById("document").append(el("p", { textContent: "The document could not be loaded: " + err })));
