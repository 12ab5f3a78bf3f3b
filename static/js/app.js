/* Small comforts; every page works without them. Hooks are data- attributes, words come from the templates. */
(function () {
  "use strict";

  function each(root, selector, act) {
    if (root.matches && root.matches(selector)) act(root);
    root.querySelectorAll(selector).forEach(act);
  }

  /* What is kept on this device while there is no connection: one entry for each form, gone once saved or signed out. */
  var PREFIX = "kept:";
  function keep(form) {
    try {
      var fields = [];
      new FormData(form).forEach(function (value, name) {
        if (typeof value === "string" && name !== "csrfmiddlewaretoken") fields.push([name, value]);
      });
      localStorage.setItem(PREFIX + form.dataset.autosave, JSON.stringify(fields));
      return true;
    } catch (error) {
      return false;
    }
  }
  function forget(form) {
    try { localStorage.removeItem(PREFIX + form.dataset.autosave); } catch (error) { /* nothing was kept */ }
  }
  function bringBack(form) {
    var fields;
    try { fields = JSON.parse(localStorage.getItem(PREFIX + form.dataset.autosave)); } catch (error) { return; }
    if (!fields) return;
    var named = {};
    fields.forEach(function (pair) { (named[pair[0]] = named[pair[0]] || []).push(pair[1]); });
    Array.prototype.forEach.call(form.elements, function (control) {
      if (!control.name || control.type === "hidden" || control.type === "file" || control.type === "submit") return;
      var values = named[control.name] || [];
      if (control.type === "checkbox" || control.type === "radio") control.checked = values.indexOf(control.value) >= 0;
      else if (values.length) control.value = values.shift();
    });
    say(form, "kept");
  }
  function say(form, state) {
    var mark = form.querySelector("[data-saved-mark]");
    if (!mark) return;
    var now = new Date();
    var time = String(now.getHours()).padStart(2, "0") + ":" + String(now.getMinutes()).padStart(2, "0");
    mark.dataset.state = state;
    mark.textContent = (mark.dataset[state] || "").replace("[time]", time);
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    var form = event.target.closest("form[data-autosave]");
    if (form) say(form, "saving");
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var form = event.target.closest("form[data-autosave]");
    if (!form) return;
    var status = event.detail.xhr ? event.detail.xhr.status : 0;
    if (event.detail.successful) { forget(form); say(form, "saved"); return; }
    if (status === 422) { say(form, "invalid"); return; }
    say(form, keep(form) ? (status ? "failed" : "offline") : "unkept");
  });
  window.addEventListener("online", function () {
    each(document, "form[data-autosave]", function (form) {
      var mark = form.querySelector("[data-saved-mark]");
      if (mark && mark.dataset.state === "offline") form.requestSubmit();
    });
  });
  document.addEventListener("submit", function (event) {
    if (!event.target.matches("[data-sign-out]")) return;
    try {
      Object.keys(localStorage).forEach(function (key) { if (key.indexOf(PREFIX) === 0) localStorage.removeItem(key); });
    } catch (error) { /* no storage, nothing kept */ }
  });

  /* The account menu closes when one leaves it. */
  document.addEventListener("click", function (event) {
    each(document, "details[data-menu][open]", function (menu) { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    each(document, "details[data-menu][open]", function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) window.print();
  });

  /* What is to be taken along: one press instead of marking it. Without a clipboard the text stands there all the same. */
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) return;
    var text = button.parentNode.querySelector("[data-copy-text]").textContent;
    navigator.clipboard.writeText(text).then(function () { button.textContent = button.dataset.done; }, function () {});
  });

  function wake(root) {
    each(root, "[data-print]", function (button) { button.hidden = false; });
    if (navigator.clipboard) each(root, "[data-copy]", function (button) { button.hidden = false; });
    each(root, "form[data-autosave]", bringBack);
    var summary = root.querySelector("[data-error-summary]");
    if (summary) summary.focus();
  }
  wake(document);
  /* What became of a form comes before the page: it is brought into view, and the keyboard goes on from there. Not where
     the address says what is to be looked at, or something that is wrong has the keyboard already. */
  var told = document.getElementById("messages");
  var free = !document.activeElement || document.activeElement === document.body;
  if (told && told.firstElementChild && free && (!location.hash || location.hash === "#messages")) told.focus();
  document.addEventListener("htmx:load", function (event) { if (event.target !== document.body) wake(event.target); });
})();
