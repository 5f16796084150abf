/* An attention map with its numbers: all of it is in this page. Numbers are 32-bit floats, as
 * they were computed; under the causal mask there are none. */
(function () {
"use strict";

var meta = JSON.parse(document.getElementById("meta").textContent);
var at = { map: 0, query: 0, key: 0, held: false };
var fit = { cell: 1, left: 0, top: 0 };
var scale = meta.scale;
var shown = null; /* the numbers of the map at hand */
var spans = { row: [], col: [] };
var MONO = '"DejaVu Sans Mono", Menlo, Consolas, monospace';

function el(id) { return document.getElementById(id); }

/* --- numbers --- */

function decode(map) {
    var text = atob(el("d" + map).textContent), bytes = new Uint8Array(text.length);
    for (var i = 0; i < text.length; i++)
        bytes[i] = text.charCodeAt(i);
    var view = new DataView(bytes.buffer), n = bytes.length / 4, x = new Float32Array(n);
    for (i = 0; i < n; i++)
        x[i] = view.getFloat32(4 * i, true);
    return x;
}

/* Keys that a row has numbers for. */
function width(m, row) {
    return m.causal ? Math.max(0, Math.min(m.cols, m.row + row - m.col + 1)) : m.cols;
}

function load(index) {
    var m = meta.maps[index], begin = new Int32Array(m.rows + 1), most = new Float64Array(m.rows);
    var x = decode(index);
    for (var r = 0; r < m.rows; r++) {
        begin[r + 1] = begin[r] + width(m, r);
        for (var i = begin[r]; i < begin[r + 1]; i++)
            if (isFinite(x[i]))
                most[r] = Math.max(most[r], Math.abs(x[i]));
    }
    return { m: m, kind: meta.kinds[m.kind], x: x, begin: begin, most: most };
}

/* undefined: masked */
function number(query, key) {
    var r = query - shown.m.row, c = key - shown.m.col;
    if (r < 0 || c < 0 || r >= shown.m.rows || c >= width(shown.m, r))
        return undefined;
    var v = shown.x[shown.begin[r] + c];
    return v === -Infinity ? undefined : v;
}

/* The fewest digits that give this float back. */
function exact(v) {
    if (v === undefined)
        return "masked";
    if (!isFinite(v))
        return String(v);
    for (var digits = 1; digits < 9; digits++) {
        var text = v.toPrecision(digits);
        if (Math.fround(Number(text)) === v)
            return String(Number(text));
    }
    return String(Number(v.toPrecision(9)));
}

/* --- colours: as the program has them --- */

function place(v, row) {
    var signed = shown.kind.signed, limit = scale === "row max" ? shown.most[row] : shown.kind.limit;
    if (!(limit > 0))
        return signed ? 0.5 : 0;
    var part = Math.min(1, Math.abs(v) / limit);
    if (scale === "sqrt")
        part = Math.sqrt(part);
    if (scale === "log")
        part = part > 0 ? Math.max(0, 1 + Math.log10(part) / 4) : 0;
    if (!signed)
        return v > 0 ? part : 0;
    return v < 0 ? 0.5 - part / 2 : 0.5 + part / 2;
}

function mix(ramp, t) {
    var pos = Math.max(0, Math.min(1, t)) * (ramp.length - 1), i = Math.min(ramp.length - 2, Math.floor(pos));
    var f = pos - i, a = ramp[i], b = ramp[i + 1];
    return [0, 1, 2].map(function (c) { return Math.floor(a[c] + (b[c] - a[c]) * f + 0.5); });
}

function colour(v, row) {
    if (isNaN(v))
        return [255, 0, 255];
    return mix(shown.kind.signed ? meta.diverging : meta.sequential, place(v, row));
}

function css(rgb) { return "rgb(" + rgb.join(",") + ")"; }

function contrast(rgb) {
    return (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 1000 > 127 ? "#000" : "#fff";
}

/* --- tokens --- */

function token(i) { return meta.tokens[i] === undefined ? "" : meta.tokens[i]; }

function dotted(i) { return token(i).replace(/ /g, "\u00b7"); }

function name(i) {
    var text = i + " " + dotted(i);
    return text.length > 14 ? text.slice(0, 13) + "\u2026" : text;
}

/* --- the map --- */

function canvas(id, w, h, scaled) {
    var c = el(id), ratio = scaled ? window.devicePixelRatio || 1 : 1;
    c.width = Math.round(w * ratio);
    c.height = Math.round(h * ratio);
    c.style.width = w + "px";
    c.style.height = h + "px";
    var g = c.getContext("2d");
    g.scale(ratio, ratio);
    return g;
}

function pixels() {
    var m = shown.m, image = new ImageData(m.cols, m.rows);
    for (var r = 0; r < m.rows; r++)
        for (var c = 0; c < m.cols; c++) {
            var v = number(m.row + r, m.col + c), p = 4 * (r * m.cols + c);
            if (v === undefined)
                continue;
            var rgb = colour(v, r);
            image.data[p] = rgb[0];
            image.data[p + 1] = rgb[1];
            image.data[p + 2] = rgb[2];
            image.data[p + 3] = 255;
        }
    return image;
}

function measure() {
    var m = shown.m, room = el("scroll").clientWidth, want = Number(el("size").value);
    fit.left = fit.top = 108;
    var cell = Math.floor((room - fit.left - 2) / m.cols);
    cell = Math.min(cell, Math.floor((window.innerHeight * 0.84 - fit.top) / m.rows), 48);
    fit.cell = want || Math.max(1, cell);
    if (fit.cell < 12) {
        fit.left = 44;
        fit.top = 24;
    }
}

function step(n) {
    for (var i = 0, s = 1; ; i++, s = i % 3 === 2 ? s / 2 * 5 : s * 2)
        if (s * fit.cell >= n)
            return s;
}

function drawNames(g, style) {
    var m = shown.m, c = fit.cell, i;
    g.font = "12px " + MONO;
    g.textBaseline = "middle";
    g.fillStyle = style.getPropertyValue(c < 12 ? "--dim" : "--fg");
    var every = c < 12 ? step(40) : 1;
    for (i = Math.ceil(m.row / every) * every; i < m.row + m.rows; i += every) {
        g.textAlign = "right";
        g.fillText(c < 12 ? String(i) : name(i), fit.left - 6, fit.top + (i - m.row + 0.5) * c);
    }
    for (i = Math.ceil(m.col / every) * every; i < m.col + m.cols; i += every) {
        g.save();
        g.translate(fit.left + (i - m.col + 0.5) * c, fit.top - 6);
        g.textAlign = "left";
        if (c >= 12)
            g.rotate(-Math.PI / 2);
        g.fillText(c < 12 ? String(i) : name(i), c < 12 ? -3 : 0, c < 12 ? -5 : 0);
        g.restore();
    }
}

function drawNumbers(g) {
    var m = shown.m, c = fit.cell;
    g.font = "11px " + MONO;
    g.textAlign = "center";
    g.textBaseline = "middle";
    for (var r = 0; c >= 40 && r < m.rows; r++)
        for (var k = 0; k < m.cols; k++) {
            var v = number(m.row + r, m.col + k);
            if (v === undefined)
                continue;
            g.fillStyle = contrast(colour(v, r));
            g.fillText(v.toFixed(Math.abs(v) < 10 ? 2 : 1).replace(/^(-?)0\./, "$1."),
                       (k + 0.5) * c, (r + 0.5) * c);
        }
}

function draw() {
    var m = shown.m, c, w, h;
    measure();
    c = fit.cell;
    w = fit.left + m.cols * c + 2;
    h = fit.top + m.rows * c + 2;
    el("stack").style.width = w + "px";
    el("stack").style.height = h + "px";
    drawNames(canvas("under", w, h, true), getComputedStyle(document.documentElement));
    var flat = document.createElement("canvas");
    flat.width = m.cols;
    flat.height = m.rows;
    flat.getContext("2d").putImageData(pixels(), 0, 0);
    var g = canvas("map", m.cols * c, m.rows * c, m.cols * c < 2000);
    el("map").style.left = fit.left + "px";
    el("map").style.top = fit.top + "px";
    g.imageSmoothingEnabled = false;
    g.drawImage(flat, 0, 0, m.cols * c, m.rows * c);
    drawNumbers(g);
    canvas("over", w, h, true);
    drawLegend();
    show();
}

function drawLegend() {
    var kind = shown.kind, g = el("ramp").getContext("2d");
    for (var i = 0; i < 160; i++) {
        g.fillStyle = css(mix(kind.signed ? meta.diverging : meta.sequential, i / 159));
        g.fillRect(i, 0, 1, 12);
    }
    var high = scale === "row max" ? "row max" : exact(Math.fround(kind.limit));
    el("high").textContent = high;
    el("low").textContent = kind.signed ? "-" + high : scale === "log" ? "\u2264" + kind.limit * 1e-4 : "0";
    el("masked").hidden = !shown.m.causal;
}

/* --- the cell pointed at --- */

function drawCursor() {
    var m = shown.m, c = fit.cell, g = el("over").getContext("2d");
    var x = fit.left + (at.key - m.col) * c, y = fit.top + (at.query - m.row) * c;
    var ink = getComputedStyle(document.documentElement).getPropertyValue("--mark");
    g.clearRect(0, 0, el("over").width, el("over").height);
    g.strokeStyle = ink;
    g.globalAlpha = 0.55;
    g.lineWidth = 1;
    g.strokeRect(fit.left - 0.5, y - 0.5, m.cols * c + 1, c + 1);
    g.strokeRect(x - 0.5, fit.top - 0.5, c + 1, m.rows * c + 1);
    g.globalAlpha = 1;
    g.lineWidth = at.held ? 3 : 2;
    g.strokeRect(x - 1, y - 1, c + 2, c + 2);
}

/* Shades the tokens of a text by the numbers of a row, or of a column. */
function shade(list, value, marked) {
    list.forEach(function (span) {
        var i = Number(span.dataset.i), v = value(i), rgb;
        span.classList.toggle("at", i === marked);
        span.title = i + ": " + exact(v);
        if (v === undefined) {
            span.style.background = "none";
            span.style.color = "var(--dim)";
            return;
        }
        rgb = colour(v, (list === spans.row ? at.query : i) - shown.m.row);
        span.style.background = css(rgb);
        span.style.color = contrast(rgb);
    });
}

function show() {
    var v = number(at.query, at.key);
    el("query").innerHTML = "query " + at.query + " <code></code>";
    el("query").lastChild.textContent = dotted(at.query);
    el("key").innerHTML = "key " + at.key + " <code></code>";
    el("key").lastChild.textContent = dotted(at.key);
    el("number").textContent = exact(v);
    el("row-title").textContent = "What " + name(at.query) + " looks at (its row)";
    el("col-title").textContent = "What looks at " + name(at.key) + " (its column)";
    shade(spans.row, function (i) { return number(at.query, i); }, at.query);
    shade(spans.col, function (i) { return number(i, at.key); }, at.key);
    drawCursor();
    el("one").dataset.number = exact(v);
}

function move(query, key) {
    var m = shown.m;
    at.query = Math.max(m.row, Math.min(m.row + m.rows - 1, query));
    at.key = Math.max(m.col, Math.min(m.col + m.cols - 1, key));
    if (m.causal && at.key > at.query)
        at.key = Math.max(m.col, Math.min(at.key, at.query));
    show();
}

/* Scrolls a large map so that the cell is seen. */
function reveal() {
    var box = el("scroll"), m = shown.m, margin = 2 * fit.cell + 20;
    var x = fit.left + (at.key - m.col) * fit.cell, y = fit.top + (at.query - m.row) * fit.cell;
    box.scrollLeft = Math.max(x - box.clientWidth + margin, Math.min(box.scrollLeft, x - margin));
    box.scrollTop = Math.max(y - box.clientHeight + margin, Math.min(box.scrollTop, y - margin));
}

/* The strongest key of a query: where the eye goes first. */
function strongest(query) {
    var best = shown.m.col, most = -1;
    for (var k = shown.m.col; k < shown.m.col + shown.m.cols; k++) {
        var v = number(query, k);
        if (v !== undefined && Math.abs(v) > most) {
            most = Math.abs(v);
            best = k;
        }
    }
    return best;
}

function makeSpans(id, from, n, click) {
    var box = el(id), list = [];
    box.textContent = "";
    for (var i = from; i < from + n; i++) {
        var span = document.createElement("span");
        span.className = "token";
        span.dataset.i = i;
        span.textContent = token(i);
        span.addEventListener("click", click.bind(null, i));
        list.push(span);
        box.appendChild(span);
    }
    return list;
}

function open(index) {
    var before = shown && shown.m;
    at.map = index;
    shown = load(index);
    var m = shown.m;
    el("name").textContent = m.name + " " + shown.kind.name;
    document.querySelectorAll(".head").forEach(function (b) {
        b.setAttribute("aria-current", String(Number(b.dataset.map) === index));
    });
    if (!before || before.rows !== m.rows || before.cols !== m.cols || before.row !== m.row) {
        at.query = m.row + m.rows - 1;
        at.key = strongest(at.query);
        var last = Math.max(m.row + m.rows, m.col + m.cols), first = Math.min(m.row, m.col);
        spans.row = makeSpans("row", first, last - first, function (i) { move(i, at.key); });
        spans.col = makeSpans("col", first, last - first, function (i) {
            move(Math.max(at.query, i), i);
        });
    }
    draw();
}

/* --- what the user does --- */

function cellAt(event) {
    var box = el("stack").getBoundingClientRect(), m = shown.m;
    var c = Math.floor((event.clientX - box.left - fit.left) / fit.cell);
    var r = Math.floor((event.clientY - box.top - fit.top) / fit.cell);
    return r >= 0 && c >= 0 && r < m.rows && c < m.cols ? [m.row + r, m.col + c] : null;
}

function pointed(event) {
    var cell = cellAt(event);
    if (!cell || (at.held && event.type === "mousemove"))
        return;
    if (shown.m.causal && cell[1] > cell[0])
        return;
    if (event.type === "click")
        at.held = !(at.held && at.query === cell[0] && at.key === cell[1]);
    move(cell[0], cell[1]);
}

function turn(by) {
    open((at.map + by + meta.maps.length) % meta.maps.length);
}

/* The same head of another layer. */
function layer(by) {
    var m = shown.m, to = meta.maps.findIndex(function (o) {
        return o.kind === m.kind && o.head === m.head && o.layer === m.layer + by;
    });
    if (to >= 0)
        open(to);
}

function pressed(event) {
    var by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === "SELECT")
        return;
    if (event.key === "[" || event.key === "]")
        turn(event.key === "[" ? -1 : 1);
    else if (event.key === "K" || event.key === "J")
        layer(event.key === "K" ? 1 : -1);
    else if (event.key === "Escape")
        at.held = false;
    else if (by && (event.target === el("stack") || event.target === document.body)) {
        event.preventDefault();
        at.held = true;
        move(at.query + by[0], at.key + by[1]);
        reveal();
        return;
    }
    if (event.key === "Escape")
        show();
}

function otherLook() {
    var root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)").matches;
    if (root.dataset.look)
        dark = root.dataset.look === "dark";
    root.dataset.look = dark ? "light" : "dark";
    draw();
}

function begin() {
    el("one").hidden = false;
    el("moves").hidden = meta.maps.length < 2;
    el("scale").value = scale;
    el("scale").addEventListener("change", function () {
        scale = el("scale").value;
        draw();
    });
    el("size").addEventListener("change", draw);
    el("look").addEventListener("click", otherLook);
    el("before").addEventListener("click", function () { turn(-1); });
    el("after").addEventListener("click", function () { turn(1); });
    el("stack").addEventListener("mousemove", pointed);
    el("stack").addEventListener("click", pointed);
    document.addEventListener("keydown", pressed);
    window.addEventListener("resize", draw);
    document.querySelectorAll(".head").forEach(function (b) {
        b.addEventListener("click", function () {
            open(Number(b.dataset.map));
            el("one").scrollIntoView({ behavior: "smooth", block: "start" });
        });
    });
    open(0);
    document.documentElement.dataset.ready = "true";
}

begin();
}());
