"use strict";
// Draws the OpenAPI document. Everything is put in as text, never as markup.
const el = (tag, props, ...children) => {
  const e = Object.assign(document.createElement(tag), props || {});
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
};

let doc;
const nameOf = (s) => (s && s.$ref ? s.$ref.split("/").pop() : "");
const resolve = (s) => (nameOf(s) ? doc.components.schemas[nameOf(s)] : s) || {};
const hasFields = (s) => Object.keys(resolve(s).properties || {}).length > 0;

function kindOf(s) {
  if (!s) return "";
  if (s.$ref) return nameOf(s);
  const types = [].concat(s.type || "any").filter((t) => t !== "null");
  if (types[0] === "array") return "list of " + kindOf(s.items);
  if (types[0] === "object" && s.additionalProperties) return "map of " + (s.additionalProperties.type || "anything");
  return s.format === "date-time" ? "time" : types.join(" or ");
}

function kindLink(s) {
  const name = nameOf(s) || nameOf(s && s.items);
  return name ? el("a", { href: "#schema-" + name, textContent: kindOf(s) }) : document.createTextNode(kindOf(s));
}

// values are the choices, the default and the bounds of a field.
function values(s) {
  const out = el("div", { className: "values" });
  const list = (label, all) => {
    out.append(out.childNodes.length ? "; " : "", label + " ");
    all.forEach((v, i) => out.append(i ? ", " : "", el("code", { textContent: typeof v === "string" ? v || '""' : JSON.stringify(v) })));
  };
  if (s.enum) list("one of", s.enum);
  if (s.default !== undefined) list("default", [s.default]);
  if (s.minimum !== undefined && s.maximum !== undefined) list("from", [s.minimum]), out.append(" to ", el("code", { textContent: s.maximum }));
  if (s.examples && s.examples.every((v) => typeof v !== "object")) list("such as", s.examples);
  return out.childNodes.length ? out : null;
}

// field is a name, what it is, and, folded, what is inside of it.
function field(name, s, required, depth, where) {
  const inside = hasFields(s) ? s : s.items && hasFields(s.items) ? s.items : null;
  const mark = required ? el("span", { className: "mark", textContent: "required" })
    : s.readOnly ? el("span", { className: "mark quiet", textContent: "read only" }) : null;
  const head = el("dt", null, el("code", { textContent: name }), el("span", { className: "kind" }, where ? where + ", " : null, kindLink(s)), mark);
  const text = el("dd", null, s.description || null, values(s));
  if (inside && depth > 0) {
    text.append(el("details", null, el("summary", { textContent: "Fields of " + kindOf(inside) }), fields(inside, depth - 1)));
  }
  return [head, text];
}

// fields puts what is required first and what the switch fills in last.
function fields(schema, depth) {
  const s = resolve(schema), required = s.required || [];
  const rank = ([name, p]) => (required.includes(name) ? 0 : p.readOnly ? 2 : 1);
  const all = Object.entries(s.properties || {}).sort((a, b) => rank(a) - rank(b));
  return el("dl", null, ...all.flatMap(([name, p]) => field(name, p, required.includes(name), depth)));
}

// pretty is JSON with whatever fits on a line on one line.
function pretty(v, indent = "") {
  const flat = JSON.stringify(v, null, 1).replace(/\n */g, " ");
  if (typeof v !== "object" || v === null || flat.length + indent.length <= 48) return flat;
  const more = indent + "  ", list = Array.isArray(v);
  const rows = list ? v.map((x) => pretty(x, more)) : Object.entries(v).map(([k, x]) => JSON.stringify(k) + ": " + pretty(x, more));
  return (list ? "[" : "{") + "\n" + more + rows.join(",\n" + more) + "\n" + indent + (list ? "]" : "}");
}

function curl(path, method, op, body) {
  const lines = ["curl -k" + (method === "get" ? "" : " -X " + method.toUpperCase()), "  " + location.origin + path, "  -H 'X-Auth-Token: YOUR_API_KEY'"];
  const example = body && (resolve(body).examples || [])[0];
  if (example) lines.push("  -H 'Content-Type: application/json'", "  -d '" + pretty(example).replaceAll("'", "'\\''") + "'");
  return el("pre", { textContent: lines.join(" \\\n") });
}

function replies(op) {
  const out = el("div", { className: "replies" }), errors = [];
  for (const [status, r] of Object.entries(op.responses || {})) {
    const [kind, media] = Object.entries(r.content || {})[0] || [];
    if (status >= 400 || status === "default") {
      errors.push(status);
      continue;
    }
    out.append(el("div", null, el("code", { textContent: status }), " " + (r.description || "") + " ", media && media.schema ? kindLink(media.schema) : kind || ""));
  }
  if (errors.length) {
    out.append(el("div", { className: "errors" }, errors.join(", ") + " ", el("a", { href: "#schema-Error", textContent: "Error" })));
  }
  return out;
}

function operation(path, method, op) {
  const body = op.requestBody && op.requestBody.content["application/json"].schema;
  const left = el("div", null), right = el("div", null, el("h4", { textContent: "Request" }), curl(path, method, op, body),
    el("h4", { textContent: "Replies" }), replies(op));
  if (op.description) left.append(el("p", { textContent: op.description }));
  const parameters = (op.parameters || []).flatMap((p) => field(p.name, { ...p.schema, description: p.description }, p.required, 0, p.in));
  if (parameters.length) left.append(el("h4", { textContent: "Parameters" }), el("dl", null, ...parameters));
  if (body) {
    left.append(el("h4", null, "Body", body.$ref ? ": " : "", body.$ref ? kindLink(body) : null));
    if (op.requestBody.description) left.append(el("p", { textContent: op.requestBody.description }));
    else if (method === "put") left.append(el("p", { textContent: "As when it is created." }));
    else if (hasFields(body)) left.append(fields(body, 3));
    else left.append(el("p", { textContent: "None is needed." }));
  }
  return el("section", { id: op.operationId },
    el("h3", null, el("span", { className: "method " + method, textContent: method.toUpperCase() }), el("code", { textContent: path }),
      el("span", { className: "summary", textContent: op.summary })),
    el("div", { className: "sides" }, left, right));
}

// parts are the operations by tag, in the document's order of tags.
function parts() {
  const out = new Map((doc.tags || []).map((t) => [t.name, { about: t.description, rows: [] }]));
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const method of ["post", "get", "put", "patch", "delete"]) {
      const op = item[method];
      if (!op) continue;
      const tag = (op.tags || ["Other"])[0];
      if (!out.has(tag)) out.set(tag, { rows: [] });
      out.get(tag).rows.push([path, method, op]);
    }
  }
  return out;
}

// contents gets a heading and a link for each row.
function contents(nav, title, links) {
  nav.append(el("div", null, el("h2", { textContent: title }), ...links));
}

function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const part of document.querySelectorAll("#contents > div")) {
    let shown = 0;
    for (const a of part.querySelectorAll("a")) {
      const all = (a.textContent + " " + a.title + " " + part.firstChild.textContent).toLowerCase();
      a.hidden = !words.every((w) => all.includes(w));
      shown += a.hidden ? 0 : 1;
    }
    part.hidden = shown === 0;
  }
}

async function draw() {
  const answer = await fetch("/v2/openapi.json");
  if (!answer.ok) throw new Error("status " + answer.status);
  doc = await answer.json();
  document.title = doc.info.title;
  const main = document.getElementById("document"), nav = document.getElementById("contents");
  main.replaceChildren(el("h1", null, doc.info.title + " ", el("small", { textContent: doc.info.version })));
  for (const text of (doc.info.description || "").split("\n\n")) main.append(el("p", { textContent: text }));
  main.append(el("p", null, "For programs: ", el("a", { href: "/v2/openapi.json", textContent: "OpenAPI " + doc.openapi + " document" })));
  for (const [tag, part] of parts()) {
    if (!part.rows.length) continue;
    main.append(el("h2", { className: "part", textContent: tag }), el("p", { textContent: part.about || "" }));
    main.append(...part.rows.map((row) => operation(...row)));
    contents(nav, tag, part.rows.map(([path, method, op]) => el("a", { href: "#" + op.operationId, title: path },
      el("span", { className: "method " + method, textContent: method === "delete" ? "DEL" : method.toUpperCase() }), el("span", { textContent: op.summary }))));
  }
  const types = Object.keys(doc.components.schemas).filter((name) => hasFields(doc.components.schemas[name]));
  main.append(el("h2", { className: "part", textContent: "Types" }), el("p", { textContent: "What bodies and replies are made of." }));
  for (const name of types) {
    main.append(el("section", { id: "schema-" + name }, el("h3", null, el("code", { textContent: name })),
      el("div", { className: "sides one" }, fields(doc.components.schemas[name], 0))));
  }
  contents(nav, "Types", types.map((name) => el("a", { className: "type", href: "#schema-" + name, textContent: name })));
  document.getElementById("filter").addEventListener("input", (e) => filter(e.target.value));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

draw().catch((err) => document.getElementById("document").append(el("p", { textContent: "The document could not be loaded: " + err })));
