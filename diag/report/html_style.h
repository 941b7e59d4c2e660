// The style sheet of the HTML report (html.h).

#ifndef DIAG_REPORT_HTML_STYLE_H_
#define DIAG_REPORT_HTML_STYLE_H_

namespace vgpu::report {

inline constexpr char kStyle[] = R"(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --text: #1b1f24; --dim: #57606a; --line: #d0d7de;
  --code: #f1f3f5; --link: #0a58ca;
  --bad: #b3261e; --warn: #8a5300; --good: #1a7f37; --on-strong: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #161b22; --text: #e6edf3; --dim: #9aa4af; --line: #30363d;
    --code: #1f2630; --link: #7ab7ff;
    --bad: #ff8a80; --warn: #f0b755; --good: #6fd08c; --on-strong: #0d1117;
  }
}
@media print {
  :root {
    color-scheme: light;
    --page: #ffffff; --card: #ffffff; --text: #000000; --dim: #444444; --line: #999999;
    --code: #f3f3f3; --link: #000000;
    --bad: #b3261e; --warn: #7a4a00; --good: #116329; --on-strong: #ffffff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
section, header { margin: 0 0 1.5rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
header { border-top: 6px solid var(--warn); }
header.problem { border-top-color: var(--bad); }
header.healthy { border-top-color: var(--good); }
.verdict { display: inline-block; margin: 0 0 .5rem; padding: .1rem .6rem; border-radius: 4px; background: var(--warn); color: var(--on-strong); font-weight: 700; letter-spacing: .04em; }
.problem .verdict { background: var(--bad); }
.healthy .verdict { background: var(--good); }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.3; }
h2 { margin: 0 0 .75rem; font-size: 1.15rem; }
h3 { margin: 1.25rem 0 .5rem; font-size: 1rem; }
h2 + h3 { margin-top: 0; }
p { margin: 0 0 .75rem; }
a { color: var(--link); }
ul, ol { margin: 0; padding-left: 1.5rem; }
li { margin: 0 0 .5rem; }
code, pre, .place { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875rem; }
pre { margin: .25rem 0 .5rem; padding: .5rem .75rem; background: var(--code); border-radius: 6px; white-space: pre-wrap; }
pre.quote { border-left: 3px solid var(--line); border-radius: 0 6px 6px 0; }
pre.command::before { content: "$ "; color: var(--dim); user-select: none; }
.place, .dim { color: var(--dim); }
.badge { padding: 0 .4rem; border: 1px solid currentColor; border-radius: 4px; font-size: .8rem; white-space: nowrap; }
.bad { color: var(--bad); } .warn { color: var(--warn); } .good { color: var(--good); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; font-size: .9rem; }
dt { color: var(--dim); }
dd { margin: 0; min-width: 0; }
dl.reasons { margin: 0 0 .75rem 1rem; }
details > summary { cursor: pointer; }
details > :nth-child(2) { margin-top: .75rem; }
ul.folds { list-style: none; padding-left: 0; }
ul.folds details > :nth-child(2) { margin-top: .25rem; }
.above { margin: .25rem 0; font-size: .9rem; }
figure { margin: 0; overflow-x: auto; }
svg.chain { display: block; margin: 0 auto; max-width: 100%; height: auto; font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
.finding rect { fill: var(--code); stroke: var(--dim); }
.finding.root rect { stroke: var(--bad); stroke-width: 2; }
.finding text { fill: var(--text); }
.finding .code { font-weight: 700; }
.finding .kind { fill: var(--dim); font-size: 11px; text-anchor: end; }
.finding.root .kind { fill: var(--bad); }
.arrow { fill: none; stroke: var(--dim); stroke-width: 1.5; }
.tip { fill: var(--dim); }
ol.way { list-style: none; padding: 0; counter-reset: entry; }
ol.way > li { position: relative; margin: 0; padding: 0 0 .9rem 2.6rem; counter-increment: entry; }
ol.way > li::before { content: counter(entry); position: absolute; left: 0; top: 0; width: 1.6rem; height: 1.6rem; border: 2px solid var(--line); border-radius: 50%; background: var(--card); font-size: .8rem; line-height: 1.35rem; text-align: center; z-index: 1; }
ol.way > li::after { content: ""; position: absolute; left: calc(.8rem - 1px); top: 1.6rem; bottom: 0; border-left: 2px solid var(--line); }
ol.way > li:last-child::after { display: none; }
ol.way > li.bad-entry::before { border-color: var(--bad); color: var(--bad); }
ol.way > li.warn-entry::before { border-color: var(--warn); color: var(--warn); }
ol.way > li.good-entry::before { border-color: var(--good); color: var(--good); }
ol.beside > li::before { content: "+"; }
ol.beside > li::after { display: none; }
ol.time > li { padding-left: 1.6rem; }
ol.time > li::before { content: ""; left: 0; top: .45rem; width: .8rem; height: .8rem; border-color: var(--dim); }
ol.time > li::after { left: calc(.4rem - 1px); top: 1.25rem; bottom: -.45rem; }
ol.time > li > time { font-variant-numeric: tabular-nums; color: var(--dim); font-size: .9rem; }
ol.time .later { display: block; margin-top: .15rem; font-size: .8rem; color: var(--dim); font-style: italic; }
.gap1 { padding-bottom: 1.2rem !important; } .gap2 { padding-bottom: 1.8rem !important; }
.gap3 { padding-bottom: 2.6rem !important; } .gap4 { padding-bottom: 3.6rem !important; }
footer { color: var(--dim); font-size: .85rem; }
@media print {
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  section, header { padding: 0 0 .5rem; border-width: 0 0 1px; border-radius: 0; }
  header { border-top-width: 4px; padding-top: .5rem; }
  h2, h3 { break-after: avoid; }
  figure, pre, li, dl, .step { break-inside: avoid; }
  summary { list-style: none; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  svg.chain { min-width: 0 !important; }
  .verdict { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
)";

}  // namespace vgpu::report

#endif  // DIAG_REPORT_HTML_STYLE_H_
