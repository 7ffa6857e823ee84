/// The page's style: light and dark by the reader's wish, one column on a phone, no colours lost on paper.
enum PageStyle {
    static let text = colours + layout + drawings + paper

    private static let colours = """
        :root {
          color-scheme: light dark;
          --page: #f4f6f8; --card: #ffffff; --text: #1b2128; --quiet: #55606c; --line: #d5dbe1; --sunk: #eef1f4;
          --good: #17703a; --bad: #b3261e; --doubtful: #875400; --unseen: #6240b0; --focus: #0b5fd0;
          --good-tint: #e3f4e9; --bad-tint: #fdeae8; --doubtful-tint: #fdf1dc; --unseen-tint: #f0eafb;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #10151a; --card: #181f26; --text: #e7ecf1; --quiet: #a3afbb; --line: #35404a; --sunk: #11181e;
            --good: #5fce8a; --bad: #ff8f85; --doubtful: #edb95e; --unseen: #c3a8ff; --focus: #7db4ff;
            --good-tint: #15301f; --bad-tint: #3b1b1a; --doubtful-tint: #35270f; --unseen-tint: #281f40;
          }
        }

        """

    private static let layout = """
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; }
        body { margin: 0; background: var(--page); color: var(--text);
          font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
        header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
        h1, h2, h3, h4 { line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; }
        h1 { font-size: 1.9rem; display: flex; align-items: center; gap: .75rem; letter-spacing: -.01em; }
        h2 { font-size: 1.3rem; margin-top: 0; }
        h3 { font-size: 1.08rem; }
        h4 { font-size: .8rem; text-transform: uppercase; letter-spacing: .06em; color: var(--quiet); margin: 1.1rem 0 .4rem; }
        p { margin: 0 0 .75rem; overflow-wrap: anywhere; }
        ul { margin: 0 0 .75rem; padding-left: 1.25rem; }
        ul.plain { list-style: none; padding: 0; }
        ul.plain li { margin-bottom: .5rem; }
        li { overflow-wrap: anywhere; }
        code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
        a { color: var(--focus); }
        :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
        [hidden] { display: none !important; }
        .skip { position: absolute; left: -100rem; }
        .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: .5rem 1rem; z-index: 1; }
        .banner { margin-top: 1.25rem; padding: 1.4rem 1.6rem; background: var(--card); border: 1px solid var(--line);
          border-left: 8px solid var(--quiet); border-radius: 14px; width: calc(100% - 2.5rem); max-width: 69.5rem; }
        .banner.good { border-left-color: var(--good); } .banner.bad { border-left-color: var(--bad); }
        .banner.doubtful { border-left-color: var(--doubtful); } .banner.unseen { border-left-color: var(--unseen); }
        .mark { display: inline-grid; place-items: center; flex: none; width: 2.4rem; height: 2.4rem; border-radius: 50%;
          font-size: 1.35rem; font-weight: 700; }
        .good .mark { background: var(--good); } .bad .mark { background: var(--bad); }
        .doubtful .mark { background: var(--doubtful); } .unseen .mark { background: var(--unseen); }
        .mark { color: var(--card); }
        .product { color: var(--quiet); font-size: .85rem; font-weight: 600; letter-spacing: .02em; margin-bottom: .6rem; }
        .lead { font-size: 1.15rem; }
        .meta, .note, figcaption, footer { color: var(--quiet); font-size: .9rem; }
        .meta { margin: 0; }
        .counts { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; }
        .counts li { padding: .2rem .75rem; border-radius: 999px; font-size: .9rem; background: var(--sunk); }
        .counts .good, .badge.good { background: var(--good-tint); color: var(--good); }
        .counts .bad, .badge.bad { background: var(--bad-tint); color: var(--bad); }
        .counts .doubtful, .badge.doubtful { background: var(--doubtful-tint); color: var(--doubtful); }
        .counts .unseen, .badge.unseen { background: var(--unseen-tint); color: var(--unseen); }
        .badge { display: inline-block; padding: .05rem .6rem; border-radius: 999px; font-size: .8rem; font-weight: 600;
          background: var(--sunk); color: var(--quiet); white-space: nowrap; }
        main > section { margin: 1.25rem 0; }
        main > section > h2 { margin-bottom: .75rem; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem 1.5rem; }
        article.card { margin-bottom: 1rem; }
        .card > :last-child { margin-bottom: 0; }
        .alarm { border-color: var(--bad); background: var(--bad-tint); }
        .cause { border-left: 6px solid var(--quiet); }
        .cause.bad { border-left-color: var(--bad); } .cause.doubtful { border-left-color: var(--doubtful); }
        .tags { display: flex; flex-wrap: wrap; gap: .4rem .75rem; align-items: center; color: var(--quiet); font-size: .9rem; }
        .evidence { margin: 0 0 .75rem; padding-left: 1rem; border-left: 3px solid var(--line); }
        blockquote { margin: 0; overflow-wrap: anywhere; }
        .command { display: flex; align-items: stretch; margin: .4rem 0 .75rem; }
        .command pre { flex: 1; min-width: 0; border-radius: 8px; }
        .command button { border: 1px solid var(--line); border-left: 0; border-radius: 0 8px 8px 0; background: var(--card);
          color: var(--text); font: inherit; font-size: .85rem; padding: 0 .9rem; cursor: pointer; min-width: 5.2rem; }
        .command button:hover { background: var(--sunk); }
        .command pre:not(:last-child) { border-radius: 8px 0 0 8px; }
        pre { margin: 0; padding: .6rem .85rem; background: var(--sunk); border: 1px solid var(--line); overflow-x: auto;
          border-radius: 8px; }
        .command code { user-select: all; }
        dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .25rem 1rem; margin: 0 0 .75rem; }
        dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
        fieldset { border: 0; padding: 0; margin: 0; display: flex; flex-wrap: wrap; gap: .4rem 1rem; }
        legend { float: left; padding: 0; color: var(--quiet); }
        #filters { display: flex; flex-wrap: wrap; gap: .75rem 1.5rem; justify-content: space-between; align-items: center;
          margin-bottom: 1rem; padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
        #filters input[type=checkbox] { width: 1.05rem; height: 1.05rem; margin: 0 .4rem 0 0; vertical-align: -.15rem;
          accent-color: var(--focus); }
        #search { font: inherit; padding: .3rem .6rem; border: 1px solid var(--quiet); border-radius: 8px; background: var(--card);
          color: var(--text); max-width: 100%; }
        .finding { border-bottom: 1px solid var(--line); }
        .finding:last-child { border-bottom: 0; }
        summary { display: grid; grid-template-columns: 8rem 1fr auto; gap: .25rem 1rem; align-items: baseline; padding: .55rem .25rem;
          cursor: pointer; list-style: none; }
        summary::-webkit-details-marker { display: none; }
        summary .title::before { content: "\\25B8"; display: inline-block; width: 1.1em; color: var(--quiet); }
        details[open] > summary .title::before { content: "\\25BE"; }
        summary:hover { background: var(--sunk); }
        summary .badge { justify-self: start; } summary code { color: var(--quiet); }
        summary .title { overflow-wrap: anywhere; min-width: 0; }
        .inside { padding: .25rem .25rem .75rem 9.25rem; }
        .steps { padding-left: 1.4rem; } .steps > li { margin-bottom: 1.5rem; } .steps > li::marker { font-weight: 700; }
        .change { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 0 1rem; margin-bottom: .75rem; }
        .change > div { min-width: 0; }
        footer { padding-top: .5rem; padding-bottom: 2rem; }
        @media (max-width: 44rem) {
          header, main, footer { padding: 0 .75rem; }
          .banner { width: calc(100% - 1.5rem); padding: 1.1rem 1.1rem; }
          h1 { font-size: 1.5rem; } .card { padding: 1rem; }
          summary { grid-template-columns: 1fr auto; } summary .title { grid-column: 1 / -1; order: 3; }
          summary code { overflow-wrap: anywhere; }
          .inside { padding-left: .25rem; }
        }

        """

    private static let drawings = """
        figure { margin: 0; }
        .path { margin: 1rem 0 1.5rem; } .path figcaption { color: var(--text); margin-bottom: .25rem; }
        svg { display: block; max-width: 100%; height: auto; }
        svg.wide { width: 100%; } svg.narrow { display: none; }
        svg text { text-anchor: middle; fill: var(--text); font-family: inherit; }
        svg .name { font-size: 14px; font-weight: 600; } svg .detail, svg .note { font-size: 12px; fill: var(--quiet); }
        svg .note { font-weight: 600; fill: var(--text); }
        .box { fill: var(--sunk); stroke: var(--line); stroke-width: 1.5; }
        .box.good { fill: var(--good-tint); stroke: var(--good); } .box.bad { fill: var(--bad-tint); stroke: var(--bad); stroke-width: 2.5; }
        .box.doubtful { fill: var(--doubtful-tint); stroke: var(--doubtful); }
        .box.unseen { fill: var(--unseen-tint); stroke: var(--unseen); }
        .box.faint { fill: none; } .dashed { stroke-dasharray: 5 4; }
        .way { stroke: var(--quiet); stroke-width: 2; } .way.good { stroke: var(--good); } .way.bad { stroke: var(--bad); }
        .head { fill: var(--quiet); } .head.good { fill: var(--good); }
        .cross { fill: var(--bad); stroke: var(--card); stroke-width: 2; }
        .crossmark { fill: none; stroke: var(--card); stroke-width: 2.5; stroke-linecap: round; }
        .death strong { color: var(--bad); }
        .network { display: grid; grid-template-columns: minmax(0, 25rem) minmax(0, 1fr); gap: 1rem 2.5rem; align-items: start; }
        svg.network { width: 100%; }
        .legend { display: flex; flex-wrap: wrap; gap: .4rem 1rem; font-size: .85rem; color: var(--quiet); }
        .key::before { content: ""; display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 3px;
          border: 2px solid var(--quiet); vertical-align: -.1rem; }
        .key.good::before { border-color: var(--good); background: var(--good-tint); }
        .key.bad::before { border-color: var(--bad); background: var(--bad-tint); }
        .key.doubtful::before { border-color: var(--doubtful); background: var(--doubtful-tint); }
        .key.unseen::before { border-color: var(--unseen); background: var(--unseen-tint); }
        @media (max-width: 56rem) {
          svg.wide { display: none; } svg.narrow { display: block; margin: 0 auto; }
        }
        @media (max-width: 44rem) {
          .network { grid-template-columns: minmax(0, 1fr); }
          pre { white-space: pre-wrap; overflow-wrap: anywhere; }
        }

        """

    private static let paper = """
        @media print {
          :root { color-scheme: light; --page: #fff; --card: #fff; --text: #000; --quiet: #444; --line: #bbb; --sunk: #f5f5f5;
            --good: #17703a; --bad: #b3261e; --doubtful: #875400; --unseen: #6240b0; --focus: #0b5fd0;
            --good-tint: #fff; --bad-tint: #fff; --doubtful-tint: #fff; --unseen-tint: #fff; }
          body { font-size: 10.5pt; }
          .command button, #filters, .skip { display: none !important; }
          .card, .finding, figure, .network, svg { break-inside: avoid; } h2, h3 { break-after: avoid; }
          section.card { break-inside: auto; }
          pre { white-space: pre-wrap; overflow-wrap: anywhere; }
          header, main, footer { max-width: none; padding: 0; } .banner { width: auto; padding: 1rem; }
          .inside { padding-left: 1rem; }
        }

        """
}
