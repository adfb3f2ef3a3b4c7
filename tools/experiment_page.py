"""Makes FOLDER/index.html of what `fitrelu experiment` wrote there: verdicts, pictures, measured values, commands.

The program calls it after `fitrelu experiment all`; by hand: python3 experiment_page.py [--no-pictures] FOLDER NAME...
The page is one file that opens without a network: style and pictures stand inside it, and it has no script. It follows
the reader's choice of a light or dark screen; pictures keep their white ground.
"""
import argparse
import base64
import datetime
import html
import json
import os
import re
import shlex

STYLE = """\
:root{color-scheme:light dark;--ground:#fbfbf9;--card:#fff;--text:#1d1f21;--soft:#5c6166;--line:#dfe1e3;
--good:#00714f;--bad:#b04400;--code:#f1f2f0}
@media(prefers-color-scheme:dark){:root{--ground:#15171a;--card:#1e2125;--text:#e6e7e8;--soft:#a2a8ae;
--line:#353a40;--good:#4cc79b;--bad:#f0955a;--code:#272b30}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.55 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.9rem;line-height:1.25;margin:0 0 .4rem}
h2{font-size:1.25rem;line-height:1.35;margin:0 0 .8rem}
p{margin:.4rem 0}.soft{color:var(--soft)}a{color:inherit}
nav{margin:1.4rem 0 2rem;display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.6rem}
nav a{display:flex;justify-content:space-between;gap:.6rem;padding:.55rem .8rem;border:1px solid var(--line);
border-radius:.5rem;background:var(--card);text-decoration:none}
nav a:hover{border-color:var(--soft)}
section{background:var(--card);border:1px solid var(--line);border-radius:.8rem;padding:1.4rem 1.4rem 1.2rem;
margin:0 0 1.6rem}
figure{margin:0 0 1rem;background:#fff;border-radius:.5rem;padding:.6rem}
figure img{display:block;width:100%;height:auto}
pre{background:var(--code);border-radius:.5rem;padding:.6rem .9rem;margin:0 0 1rem;white-space:pre-wrap}
code,pre{font:.9rem/1.5 ui-monospace,monospace}
ul{list-style:none;margin:0;padding:0}
li{padding:.7rem 0 .7rem 10rem;border-top:1px solid var(--line);position:relative}
li b{position:absolute;left:0;font-weight:600}li.y b{color:var(--good)}li.n b{color:var(--bad)}
details{margin-top:.8rem;border-top:1px solid var(--line);padding-top:.7rem}summary{cursor:pointer}
.wide{overflow-x:auto;margin-top:.6rem}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .9rem .25rem 0;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}
td.n{text-align:right}th:not(:first-child){text-align:right}
footer{color:var(--soft);margin-top:2rem}
@media(max-width:40rem){li{padding-left:0}li b{position:static;display:block}}
"""

HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>fitrelu: the paper, measured</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>Fitting ReLUs via SGD and Quantized SGD, measured</h1>
<p>Held against measurement: {paper}, and {own}. A claim that does not hold says something about the paper or marks \
where it ends; it is no failure of the program.</p>
<p class="soft">fitrelu {version}, {date}</p>
"""

FOOT = """\
<footer>The CSV and JSON of each experiment stand beside this page. The paper: Mousavi Kalan, Soltanolkotabi, \
Avestimehr, <i>Fitting ReLUs via SGD and Quantized SGD</i>, 2019.</footer>
</main>
</body>
</html>
"""


# Plain mathematics of a verdict as the reader knows it from print; what is put in comes after the escape.
SYMBOLS = [(r"&lt;=", "≤"), (r"&gt;=", "≥"), (r"\|\|", "‖"), (r"\+-", "±"), (r"\bsqrt\(", "√("), (r"\bgrad ", "∇"),
           (r"\brho\b", "ρ"), (r"\balpha\b", "α"), (r"\bepsilon\b", "ε"), (r"\beta\b", "η"), (r"\bsigma\b", "σ"),
           (r"\btau\b", "τ"), (r"\bdelta(\d)?", r"δ<sub>\1</sub>"), (r"<sub></sub>", ""),
           (r"\b([a-z])_([a-z0-9])\b", r"\1<sub>\2</sub>"), (r"\^(\(-?[\w.]+\)|-?[\w.]+)", r"<sup>\1</sup>")]


def symbols(text):
    text = html.escape(text, quote=False)
    for pattern, sign in SYMBOLS:
        text = re.sub(pattern, sign, text)
    return text


def count(summaries, source, name):
    """"5 of 6 <name>": those that hold of those that can be told; the paper's claims and our own are counted apart."""
    found = [one["holds"] for summary in summaries for one in summary["verdicts"] if one["source"] == source]
    told = [holds for holds in found if holds is not None]
    untold = f", {len(found) - len(told)} cannot be told" if len(told) < len(found) else ""
    return f"{sum(told)} of {len(told)}{name}{untold}"


def contents(summaries):
    links = [f'<a href="#{one["experiment"]}"><span>{one["experiment"]}</span>'
             f'<span class="soft">{count([one], "paper", "")}</span></a>\n' for one in summaries]
    return f"<nav>\n{''.join(links)}</nav>\n"


def command(summary, options):
    """The command that makes one experiment: the folder is that of the page."""
    words = summary["command"] + " --output " + shlex.quote(options.folder)
    return f"<pre>{html.escape(words + (' --no-pictures' if options.no_pictures else ''))}</pre>\n"


def picture(summary, options):
    path = os.path.join(options.folder, summary["experiment"] + ".png")
    if options.no_pictures or not os.path.exists(path):
        return '<p class="soft">No picture was drawn.</p>\n'
    with open(path, "rb") as file:
        data = base64.b64encode(file.read()).decode("ascii")
    return (f'<figure><img alt="{html.escape(summary["title"])}" src="data:image/png;base64,{data}"></figure>\n')


def verdict_item(verdict):
    kind, words = {True: ("y", "&check; holds"), False: ("n", "&cross; does not hold"),
                   None: ("u", "? cannot be told")}[verdict["holds"]]
    source = "" if verdict["source"] == "paper" else '<span class="soft">(not in the paper)</span> '
    return (f'<li class="{kind}"><b>{words}</b>{source}{symbols(verdict["claim"])}<br><span class="soft">measured: '
            f'{symbols(verdict["measured"])}</span></li>\n')


def cell(value):
    if value is None:
        return '<td class="n">&ndash;</td>'
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"<td>{html.escape(value if isinstance(value, str) else json.dumps(value))}</td>"
    if value == int(value) and abs(value) < 1e9:
        return f'<td class="n">{int(value)}</td>'
    return f'<td class="n">{value:.4g}</td>'


def table(name, rows):
    """An array of objects: a row each, under the names of their members."""
    titles = list(dict.fromkeys(title for row in rows for title in row))
    head = "".join(f"<th>{html.escape(title.replace('_', ' '))}</th>" for title in titles)
    lines = "".join(f"<tr>{''.join(cell(row.get(title)) for title in titles)}</tr>\n" for row in rows)
    return (f"<details><summary>Measured values: {html.escape(name.replace('_', ' '))}</summary><div class=\"wide\">"
            f"<table><thead><tr>{head}</tr></thead><tbody>\n{lines}</tbody></table></div></details>\n")


def tables(summary):
    return "".join(table(name, rows) for name, rows in summary.items()
                   if name != "verdicts" and isinstance(rows, list) and rows and isinstance(rows[0], dict))


def section(summary, options):
    return (f'<section id="{summary["experiment"]}">\n<h2>{html.escape(summary["title"])}</h2>\n'
            f"{command(summary, options)}{picture(summary, options)}"
            f"<ul>\n{''.join(map(verdict_item, summary['verdicts']))}</ul>\n{tables(summary)}</section>\n")


def page(summaries, options):
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    head = HEAD.format(style=STYLE, paper=count(summaries, "paper", " of the paper's claims hold"),
                       own=count(summaries, "own", " of our own"), date=date, version=html.escape(summaries[0]["version"]))
    return head + contents(summaries) + "".join(section(one, options) for one in summaries) + FOOT


def main():
    parser = argparse.ArgumentParser(description="Makes FOLDER/index.html of NAME.json and NAME.png there.")
    parser.add_argument("--no-pictures", action="store_true")
    parser.add_argument("folder")
    parser.add_argument("names", nargs="+")
    options = parser.parse_args()
    summaries = []
    for name in options.names:
        with open(os.path.join(options.folder, name + ".json"), encoding="utf-8") as file:
            summaries.append(json.load(file))
    target = os.path.join(options.folder, "index.html")
    with open(target + ".part", "w", encoding="utf-8") as file:
        file.write(page(summaries, options))
    os.replace(target + ".part", target)


if __name__ == "__main__":
    main()
