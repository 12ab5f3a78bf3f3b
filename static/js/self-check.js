/* Where do I stand: adds up on the page what was chosen on the page. It keeps nothing and sends nothing. */
(function () {
  "use strict";

  var page = document.querySelector("[data-self-check]");
  if (!page) return;
  var statements = Array.prototype.slice.call(page.querySelectorAll("[data-statement]"));
  var result = page.querySelector("[data-self-check-result]");
  var said = page.querySelector("[data-self-check-said]");
  var show = page.querySelector("[data-self-check-show]");

  function draw() {
    var answered = 0;
    var lists = Array.prototype.map.call(result.querySelectorAll("[data-answers]"), function (section) {
      var list = section.querySelector("ul");
      list.textContent = "";
      return { section: section, list: list, values: section.dataset.answers.split(" ") };
    });
    statements.forEach(function (statement) {
      var chosen = statement.querySelector(":checked");
      if (!chosen) return;
      answered += 1;
      lists.forEach(function (one) {
        if (one.values.indexOf(chosen.value) < 0) return;
        var row = document.createElement("li");
        row.textContent = statement.querySelector("legend [lang]").textContent;
        one.list.appendChild(row);
      });
    });
    lists.forEach(function (one) { one.section.hidden = !one.list.children.length; });
    said.querySelector("[data-self-check-count]").textContent = said.dataset.selfCheckSaid
      .replace("[n]", answered)
      .replace("[all]", statements.length);
  }

  show.hidden = false;
  show.querySelector("button").addEventListener("click", function () {
    draw();
    result.hidden = false;
    result.focus();
  });
  page.addEventListener("change", function () { if (!result.hidden) draw(); });
})();
