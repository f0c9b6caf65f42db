/// How the page looks: on any width, in light and dark, and on paper.
enum Style {
  static let sheet: StaticString = """

    :root{color-scheme:light dark;--paper:#fff;--ink:#1a1d21;--soft:#565f6b;--line:#d3d9df;--card:#f5f7f9;
    --blue:#1f5fa8;--amber:#b26a00;--amber-ink:#8a5200;--red:#b3261e;--green:#1b6e37;--grey:#aab2bc;--violet:#7a4fb0;
    --s1:#d6e4f5;--s2:#9cc0e8;--s3:#5c94d3;--s4:#2b68b0;--s5:#0d3a73}
    @media (prefers-color-scheme:dark){:root{--paper:#14171a;--ink:#e8eaed;--soft:#a9b2bc;--line:#3a424b;--card:#1d2227;
    --blue:#6ea8e6;--amber:#d9982f;--amber-ink:#e8b45c;--red:#ff8a80;--green:#74d193;--grey:#6d7783;--violet:#b493e6;
    --s1:#1d3047;--s2:#2a4f7c;--s3:#3d78b8;--s4:#74aee6;--s5:#cfe5fb}}
    *{box-sizing:border-box}
    html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
    body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    main{max-width:75rem;margin:0 auto;padding:1rem 1.25rem 3rem}
    h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0}
    h2{font-size:1.3rem;margin:2.6rem 0 .4rem;padding-top:.8rem;border-top:1px solid var(--line)}
    p,li,dd,dt,td,pre,h1,caption,figcaption{overflow-wrap:anywhere}
    section>p,section>ul{max-width:48rem}
    a{color:var(--blue)}
    .verdict{background:var(--card);border-left:.5rem solid var(--soft);padding:1rem 1.25rem;border-radius:.3rem}
    .verdict.good{border-color:var(--green)}.verdict.caution{border-color:var(--amber)}.verdict.wrong{border-color:var(--red)}
    .verdict.good h1,.good{color:var(--green)}.verdict.caution h1,.caution{color:var(--amber-ink)}.verdict.wrong h1,.wrong{color:var(--red)}
    .verdict p,.verdict li{color:var(--ink)}
    .lead{font-size:1.1rem;margin:.4rem 0}
    .verdict .kicker,.verdict .note,.kicker,.note{color:var(--soft);margin:.2rem 0;font-size:.875rem}
    nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:1rem 0 0;font-size:.9375rem}
    .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11.5rem,1fr));gap:.75rem;margin:1rem 0}
    .tiles div{background:var(--card);border-radius:.3rem;padding:.7rem .9rem;display:flex;flex-direction:column}
    .tiles dd{margin:0;font-size:1.35rem;font-weight:600;line-height:1.25;font-variant-numeric:tabular-nums}
    .tiles dt{color:var(--soft);font-size:.875rem}
    .facts{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;gap:.35rem 1.25rem;margin:1rem 0}
    .facts dt{color:var(--soft)}.facts dd{margin:0}
    .commands dt{margin-top:.8rem}.commands dd{margin:0}
    pre{white-space:pre-wrap;background:var(--card);border-radius:.3rem;padding:.6rem .8rem;margin:.3rem 0;font:.875rem/1.45 ui-monospace,"DejaVu Sans Mono",monospace}
    .basis{font-style:normal;border:1px solid var(--line);border-radius:.6rem;padding:0 .45rem;font-size:.8125rem;white-space:nowrap;justify-self:start}
    table{width:100%;border-collapse:collapse;margin:1.2rem 0;font-size:.875rem;line-height:1.4}
    caption{text-align:left;font-weight:600;font-size:1rem;padding-bottom:.3rem}
    th,td{text-align:left;vertical-align:top;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line)}
    th{color:var(--soft);font-weight:600}
    td b,td a,td.date{white-space:nowrap}
    th.number,td.number{text-align:right;font-variant-numeric:tabular-nums}
    td.code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.8125rem}
    .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem 2rem}
    figure{margin:1.2rem 0;min-width:0}.plots figure{margin:.4rem 0}
    figcaption{font-size:.9375rem;margin-bottom:.4rem}
    .legend{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;font-size:.875rem;margin:.4rem 0}
    .legend span{display:inline-flex;align-items:center;gap:.4rem}
    svg{display:block;overflow:visible}
    text{font-size:12px;fill:var(--soft)}text.strong{fill:var(--ink);font-weight:600}text.row{fill:var(--ink)}text.wrong{fill:var(--red);font-weight:600}
    .grid{stroke:var(--line)}.axis{stroke:var(--soft)}.limit{stroke:var(--red);stroke-width:2}.least{stroke:var(--soft);stroke-width:2;stroke-dasharray:4 3}.mark{stroke:var(--ink)}
    .live{fill:var(--blue)}.restricted{fill:var(--amber)}.held{fill:var(--violet)}.bad{fill:var(--red)}.done{fill:var(--green)}
    .shown,.former{fill:var(--grey)}.empty{fill:var(--line)}.hollow{fill:var(--paper);stroke:var(--soft);stroke-width:2}
    .edge{stroke:var(--paper)}
    .shade0{fill:var(--card)}.shade1{fill:var(--s1)}.shade2{fill:var(--s2)}.shade3{fill:var(--s3)}.shade4{fill:var(--s4)}.shade5{fill:var(--s5)}
    @media screen and (max-width:50rem){
    main{padding:.5rem .75rem 2rem}h1{font-size:1.5rem}
    .facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:.6rem}
    .tiles{grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}
    thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
    table,tbody,caption{display:block}caption{margin-bottom:.3rem}
    tr{display:block;border-bottom:1px solid var(--line);padding:.5rem 0}
    td,td.number{display:grid;grid-template-columns:7.5rem 1fr;gap:.75rem;border:0;padding:.1rem 0;text-align:left}
    td::before{content:attr(data-label);color:var(--soft);font-family:system-ui,"DejaVu Sans",sans-serif}
    }
    @page{size:A4;margin:14mm 12mm 16mm;@bottom-right{content:counter(page) " of " counter(pages);font:9pt sans-serif}}
    @media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--line:#bbb;--card:#f3f3f3;
    --blue:#1f5fa8;--amber:#b26a00;--amber-ink:#7a4800;--red:#b3261e;--green:#1b6e37;--grey:#aab2bc;--violet:#7a4fb0;
    --s1:#d6e4f5;--s2:#9cc0e8;--s3:#5c94d3;--s4:#2b68b0;--s5:#0d3a73}
    html{font-size:12px}body{font-size:1rem;-webkit-print-color-adjust:exact;print-color-adjust:exact}
    main{max-width:none;padding:0}nav{display:none}h2{break-after:avoid;margin-top:1.6rem}h2+p{break-after:avoid}
    th,td{padding-right:.5rem}td.code{font-size:.75rem}
    caption,figcaption{break-after:avoid}tr,figure,.tiles,.verdict,.commands dd{break-inside:avoid}
    thead{display:table-header-group}.plots{grid-template-columns:1fr 1fr}a{color:inherit;text-decoration:none}
    }

    """
}
