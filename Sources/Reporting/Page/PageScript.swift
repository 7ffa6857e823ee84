/// The page's script: filters, and buttons that copy. Everything is readable without it.
enum PageScript {
    static let text = """
        (function () {
          'use strict';
          document.querySelectorAll('.command').forEach(function (box) {
            var button = document.createElement('button');
            button.type = 'button';
            button.textContent = 'Copy';
            button.addEventListener('click', function () {
              var code = box.querySelector('code');
              function say(word) {
                button.textContent = word;
                setTimeout(function () { button.textContent = 'Copy'; }, 1500);
              }
              function select() {
                var range = document.createRange();
                range.selectNodeContents(code);
                var selection = getSelection();
                selection.removeAllRanges();
                selection.addRange(range);
                say(document.execCommand('copy') ? 'Copied' : 'Selected');
              }
              if (navigator.clipboard && navigator.clipboard.writeText) {
                navigator.clipboard.writeText(code.textContent).then(function () { say('Copied'); }, select);
              } else {
                select();
              }
            });
            box.appendChild(button);
          });
          var filters = document.getElementById('filters');
          if (filters) {
            var search = document.getElementById('search');
            var findings = Array.prototype.slice.call(document.querySelectorAll('.finding'));
            var apply = function () {
              var wanted = {};
              filters.querySelectorAll('input[type=checkbox]').forEach(function (box) {
                wanted[box.value] = box.checked;
              });
              var words = search.value.toLowerCase();
              var left = 0;
              findings.forEach(function (finding) {
                var fits = wanted[finding.dataset.verdict] && finding.textContent.toLowerCase().indexOf(words) >= 0;
                finding.hidden = !fits;
                left += fits ? 1 : 0;
              });
              document.getElementById('none-left').hidden = left > 0;
            };
            filters.hidden = false;
            filters.addEventListener('input', apply);
            filters.addEventListener('submit', function (event) { event.preventDefault(); });
          }
          addEventListener('beforeprint', function () {
            document.querySelectorAll('details').forEach(function (one) { one.open = true; });
          });
        })();

        """
}
