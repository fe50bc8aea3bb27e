import { paletteCss } from "./palette.js";

/** The report's style sheet: light and dark, wide and narrow, screen and paper; no font or file from outside. */
export const PAGE_CSS: string = `${paletteCss(":root")}
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%}
main>*,header,footer{max-width:1092px;margin-left:auto;margin-right:auto}
header,footer{max-width:1140px}
main,header,footer{padding:0 24px}
main>.full{max-width:1700px}
.full h2,.full .note{max-width:1092px;margin-left:auto;margin-right:auto}
.full .card{width:max-content;min-width:min(100%,1092px);max-width:100%;margin-left:auto;margin-right:auto}
header{padding-top:40px}
h1{font-size:clamp(22px,3.4vw,34px);line-height:1.22;margin:.35em 0 .4em;letter-spacing:-.012em;text-wrap:balance}
h2{font-size:20px;line-height:1.3;margin:44px 0 12px}
h3{font-size:17px;line-height:1.35;margin:30px 0 8px}
h4{font-size:15px;line-height:1.4;margin:0 0 4px;max-width:78ch}
.effect{display:inline-block;padding:0 7px;border:1px solid var(--muted);border-radius:5px;font-size:13px;color:var(--muted);print-color-adjust:exact}
.effect.breaks{background:#b3261e;border-color:#b3261e;color:#fff}
.effect.opens{border-color:var(--ink);color:var(--ink)}
p{margin:0 0 .9em;max-width:74ch}
.card>p:last-child{margin:.7em 0 0}
h1,h2,h3,h4,p,li{overflow-wrap:anywhere}
a{color:inherit}
.brand{font-weight:600;letter-spacing:.02em;color:var(--muted);font-size:14px}
.lead{color:var(--muted);font-size:17px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:14px;margin:26px 0 0}
.tile,.card{background:var(--paper);border:1px solid var(--line);border-radius:10px}
.tile{padding:14px 18px;border-top:4px solid var(--series)}
.tile dt{font-size:14px;font-weight:600}
.tile dd{margin:0}
.tile .big{font-size:30px;font-weight:650;line-height:1.25;letter-spacing:-.02em}
.tile .small{font-size:13px;color:var(--muted)}
.findings{margin:0;padding-left:1.15em;max-width:78ch}
.findings li{margin:0 0 .55em}
.findings+.card{margin-top:18px}
.card{padding:20px 22px;margin:0 0 14px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(420px,100%),1fr));gap:14px}
.charts .card{margin:0}
.narrow{display:none}
.scroll{overflow-x:auto;padding:0 8px}
table{border-collapse:collapse;width:100%;font-size:12.5px;font-variant-numeric:tabular-nums;white-space:nowrap}
.note{color:var(--muted);font-size:14px}
th,td{padding:5px;text-align:right;border-bottom:1px solid var(--line)}
th{font-weight:600}
tbody th{font-weight:400;position:sticky;left:0;background:var(--paper)}
.input th{position:static;font-weight:600;white-space:normal;color:var(--muted);padding-top:12px}
thead th{vertical-align:bottom;color:var(--muted)}
thead .group{text-align:center;border-bottom-color:var(--muted)}
.unit{display:block;font-weight:400}
tbody th,td.word,thead .word{text-align:left}
tr:last-child td,tr:last-child th{border-bottom:0}
tbody tr.first:not(:first-child)>*{border-top:2px solid var(--line)}
.best{font-weight:700}
.range{color:var(--muted)}
.machine{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0;font-size:15px}
.machine dt{color:var(--muted)}
.machine dd{margin:0;overflow-wrap:anywhere}
footer{color:var(--muted);font-size:13px;padding-top:36px;padding-bottom:48px}
@media (max-width:700px){
main,header,footer{padding-left:14px;padding-right:14px}
header{padding-top:22px}
.card{padding:14px}
.scroll{padding:0 4px}
.wide{display:none}
.narrow{display:block}
.tile .big{font-size:26px}
.machine{grid-template-columns:1fr;gap:0}
.machine dd{margin-bottom:8px}
}
@media print{
@page{margin:14mm}
body{font-size:10.5pt;background:#fff}
main>*,header,footer{max-width:none}
main,header,footer{padding-left:0;padding-right:0}
.card,.tile,tr,li{break-inside:avoid}
h2{break-after:avoid}
.scroll{overflow:visible}
table{font-size:5.8pt}
th,td{padding:2pt}
.charts{grid-template-columns:1fr 1fr}
}`;
