/* The survey form: how far one is, what was left out, and - only if asked to - answers kept in this browser until they
   are sent. The page works without it. Nothing here sends anything: that is the form's own button. */
(function () {
  "use strict";

  var PREFIX = "kept:"; // what static/js/app.js deletes when somebody signs out
  var HOP = PREFIX + "hop:";

  function read(storage, key) {
    try { return JSON.parse(storage.getItem(key)); } catch (error) { return null; }
  }
  function write(storage, key, value) {
    try { storage.setItem(key, JSON.stringify(value)); return true; } catch (error) { return false; }
  }
  function drop(storage, key) {
    try { storage.removeItem(key); } catch (error) { /* nothing was kept */ }
  }
  function dropAll(storage, chosen) {
    try {
      Object.keys(storage).forEach(function (key) { if (chosen(key)) storage.removeItem(key); });
    } catch (error) { /* no storage, nothing kept */ }
  }

  /* What is left of surveys that are over, and of this one once it is done. */
  dropAll(localStorage, function (key) {
    if (key.indexOf(PREFIX + "survey-") !== 0) return false;
    var kept = read(localStorage, key);
    return !kept || !(Date.parse(kept.until) > Date.now());
  });
  var done = document.querySelector("[data-survey-done]");
  if (done) {
    [localStorage, sessionStorage].forEach(function (storage) {
      dropAll(storage, function (key) { return key.indexOf(done.dataset.surveyDone) >= 0 && key.indexOf(PREFIX) === 0; });
    });
  }

  var form = document.querySelector("form[data-survey]");
  if (!form) return;
  var key = PREFIX + form.dataset.survey;
  var hop = HOP + form.dataset.survey;
  var statements = Array.prototype.slice.call(form.querySelectorAll("[data-statement]"));
  var keep = form.querySelector("[data-survey-keep] input");
  var leaving = false;

  function typed() {
    return Array.prototype.filter.call(form.elements, function (control) {
      return control.name && ((control.type === "radio" && control.checked) || (control.tagName === "TEXTAREA" && control.value));
    });
  }
  function fields() {
    return { until: form.dataset.until, fields: typed().map(function (control) { return [control.name, control.value]; }) };
  }
  function fill(kept) {
    (kept.fields || []).forEach(function (pair) {
      Array.prototype.forEach.call(form.elements, function (control) {
        if (control.name !== pair[0]) return;
        if (control.type === "radio") control.checked = control.value === pair[1];
        else if (control.tagName === "TEXTAREA") control.value = pair[1];
      });
    });
  }
  function open() {
    return statements.filter(function (statement) { return !statement.querySelector(":checked"); });
  }

  /* How far one is. */
  var progress = form.querySelector("[data-survey-progress]");
  function count() {
    progress.textContent = progress.dataset.surveyProgress
      .replace("[done]", statements.length - open().length)
      .replace("[all]", statements.length);
    progress.hidden = false;
  }

  /* Answers that come back: after a change of the language, or because she asked for it. What the server sent stands. */
  var empty = !typed().length;
  var hopped = read(sessionStorage, hop);
  var kept = read(localStorage, key);
  drop(sessionStorage, hop);
  if (empty && (hopped || kept)) fill(hopped || kept);
  form.querySelector("[data-survey-keep]").hidden = false;
  keep.checked = !!kept;
  function remember() {
    if (!keep.checked) { drop(localStorage, key); return; }
    if (!write(localStorage, key, fields())) keep.checked = false;
  }
  form.addEventListener("change", function () { remember(); count(); });
  form.addEventListener("input", function (event) { if (event.target.tagName === "TEXTAREA") remember(); });
  count();

  /* Another language is another page: the answers go with her, within this tab, for as long as it takes to load. */
  function takeAlong() {
    if (typed().length) leaving = write(sessionStorage, hop, fields());
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-survey-hop]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) takeAlong();
  });
  document.addEventListener("submit", function (event) {
    if (event.target.matches(".language-switch")) takeAlong();
  });
  window.addEventListener("beforeunload", function (event) {
    if (!leaving && !keep.checked && typed().length) event.preventDefault();
  });
  window.addEventListener("pageshow", function () { leaving = false; });

  /* Sending: here the browser looks for what was left out, so there is one press where nothing is. */
  var hold = form.querySelector("[data-survey-hold]");
  var held = false;
  form.querySelectorAll("[data-survey-send]").forEach(function (button) {
    button.value = "send";
    if (button.dataset.surveySend) button.textContent = button.dataset.surveySend;
  });
  form.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target.type === "radio") event.preventDefault(); // a slip would send everything
  });
  form.addEventListener("submit", function (event) {
    var missing = open();
    if (missing.length && typed().length && !held && !form.querySelector(".survey-missing")) {
      event.preventDefault();
      held = true;
      hold.hidden = false;
      hold.querySelector("[data-survey-missing]").textContent =
        missing.length === 1 ? hold.dataset.one : hold.dataset.many.replace("[n]", missing.length);
      return;
    }
    leaving = true;
  });
  hold.querySelector("[data-survey-first]").addEventListener("click", function (event) {
    event.preventDefault();
    var first = open()[0];
    if (first) first.querySelector("input").focus();
  });
})();
