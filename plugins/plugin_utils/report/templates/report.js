"use strict";
(function () {
  function unfold() {
    var target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) { return; }
    for (var node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") { node.open = true; }
    }
    var inner = target.tagName === "TBODY" && target.querySelector("details");
    if (inner) { inner.open = true; }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", unfold);
  unfold();

  var old = document.getElementById("old");
  var hours = (Date.now() - Date.parse(old.dataset.finished)) / 3600000;
  old.hidden = hours < 36;

  var print = document.getElementById("print");
  print.hidden = false;
  print.addEventListener("click", function () { window.print(); });
}());
