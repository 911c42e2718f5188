"use strict";
(function () {
  function all(root, selector) { return Array.prototype.slice.call(root.querySelectorAll(selector)); }

  /* The address says what is shown: #place, or #place?filter=value&... */
  function place() { return decodeURIComponent(location.hash.slice(1).split("?")[0]); }
  function wanted() {
    var found = {};
    (location.hash.split("?")[1] || "").split("&").forEach(function (pair) {
      var parts = pair.split("=");
      if (parts[1]) { found[parts[0]] = decodeURIComponent(parts[1]); }
    });
    return found;
  }

  function unfold() {
    var target = document.getElementById(place());
    if (!target) { return; }
    target.hidden = false;
    for (var node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") { node.open = true; }
      if (node.tagName === "TBODY") { node.hidden = false; }
    }
    var inner = target.tagName === "TBODY" && target.querySelector("details");
    if (inner) { inner.open = true; }
    target.scrollIntoView();
  }

  function fits(row, choice) {
    return Object.keys(choice).every(function (name) {
      if (name === "text") { return row.textContent.toLowerCase().indexOf(choice.text.toLowerCase()) >= 0; }
      return row.dataset[name] === choice[name];
    });
  }

  function show(form, rows) {
    var choice = {};
    all(form, "select, input").forEach(function (field) {
      if (field.value) { choice[field.name] = field.value; }
    });
    var shown = 0;
    rows.forEach(function (row) {
      row.hidden = !fits(row, choice);
      shown += row.hidden ? 0 : 1;
    });
    var output = form.querySelector("output");
    output.textContent = output.dataset.pattern.replace("%some", shown).replace("%all", rows.length);
    return choice;
  }

  function rows_of(form) { return all(document, "#" + form.dataset.rows + " [data-status]"); }

  function restore(form) {
    var given = place() === form.dataset.rows ? wanted() : {};
    all(form, "select, input").forEach(function (field) { field.value = given[field.name] || ""; });
    show(form, rows_of(form));
  }

  function filters(form) {
    restore(form);
    form.hidden = false;
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("input", function () {
      var choice = show(form, rows_of(form));
      var pairs = Object.keys(choice).map(function (key) { return key + "=" + encodeURIComponent(choice[key]); });
      history.replaceState(null, "", "#" + form.dataset.rows + (pairs.length ? "?" + pairs.join("&") : ""));
    });
  }

  function sortable(head) {
    var button = document.createElement("button");
    var table = head.closest("table");
    button.type = "button";
    button.className = "sort";
    while (head.firstChild) { button.appendChild(head.firstChild); }
    head.appendChild(button);
    button.addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "ascending";
      var key = head.dataset.sort;
      all(table, "th[aria-sort]").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      var rows = all(table, "[data-status]");
      rows.sort(function (one, other) {
        var order = one.dataset[key].localeCompare(other.dataset[key], undefined, { numeric: true });
        return (down ? -order : order) || one.dataset.rank - other.dataset.rank;
      });
      rows.forEach(function (row) { row.parentElement.appendChild(row); });
    });
  }

  /* Without a script these links lead to the whole list. */
  all(document, "a[data-filter]").forEach(function (link) {
    link.href = link.getAttribute("href") + "?" + link.dataset.filter;
  });
  all(document, "form.filters").forEach(filters);
  all(document, "th[data-sort]").forEach(sortable);
  window.addEventListener("hashchange", function () {
    all(document, "form.filters").forEach(function (form) {
      if (place() === form.dataset.rows) { restore(form); }
    });
    unfold();
  });
  unfold();

  var old = document.getElementById("old");
  if (old) { old.hidden = Date.now() - Date.parse(old.dataset.finished) < 36 * 3600000; }

  var print = document.getElementById("print");
  print.hidden = false;
  print.addEventListener("click", function () { window.print(); });
}());
