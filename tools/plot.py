"""Draws what `fitrelu fit --history` wrote: the error against the step and against the seconds, a curve a file.

Use it as tools/plot, which chooses the Python. matplotlib draws; where it is missing, gnuplot does, more plainly.
"""
import argparse
import csv
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

import plot_bench
from plot_labels import label_ends

HEADER = ["iteration", "seconds", "loss", "relative_error", "bytes_sent"]
# Okabe and Ito's colours, told apart by colour-blind readers; the yellow is left out, too faint on white.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
GREY = "#6B6B6B"


class BadInput(Exception):
    """One line for the user; exit code 1."""


class Curve:
    def __init__(self, label, path):
        self.label, self.path = label, path
        self.steps, self.seconds, self.loss, self.error, self.bytes = [], [], [], [], []

    def values(self, quantity):
        return self.error if quantity == "relative_error" else self.loss

    def along(self, axis):
        return {"step": self.steps, "seconds": self.seconds, "bytes sent by a worker": self.bytes}[axis]


def label_and_path(argument):
    """Of PATH or LABEL=PATH, where the label may hold "=" too."""
    label, equals, path = argument.rpartition("=")
    if not equals or os.path.exists(argument):
        label, path = os.path.splitext(os.path.basename(argument))[0], argument
    return label, path


def read_history(argument):
    """A cell of relative_error may be empty: w* is unknown in the user's own data."""
    label, path = label_and_path(argument)
    curve = Curve(label, path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}")
    except (UnicodeDecodeError, csv.Error):
        raise BadInput(f"{path}: not a CSV file")
    runs = bool(rows) and rows[0] == HEADER + ["run"]  # of an ensemble: one after the other
    if not runs and (not rows or rows[0] != HEADER):
        found = ",".join(rows[0])[:80] if rows else "an empty file"
        raise BadInput(f"{path}: the header must be {','.join(HEADER)}, found {found}")
    for line, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != len(HEADER) + runs:
            raise BadInput(f"{path}:{line}: {len(HEADER) + runs} fields expected, {len(row)} found")
        numbers = []
        for name, cell in zip(HEADER, row):
            try:
                numbers.append(math.nan if name == "relative_error" and not cell.strip() else float(cell))
            except ValueError:
                raise BadInput(f"{path}:{line}: {name} is '{cell}', a number expected")
        if not (math.isfinite(numbers[0]) and math.isfinite(numbers[1])):
            raise BadInput(f"{path}:{line}: iteration and seconds must be finite")
        if curve.steps and numbers[0] < curve.steps[-1]:
            raise BadInput(f"{path}:{line}: iteration {row[0]} comes after {curve.steps[-1]:.0f}")
        curve.steps.append(numbers[0])
        curve.seconds.append(numbers[1])
        curve.loss.append(numbers[2])
        curve.error.append(numbers[3])
        curve.bytes.append(numbers[4])
    if not curve.steps:
        raise BadInput(f"{path}: no row after the header")
    return curve


def read_rate(path):
    try:
        with open(path, encoding="utf-8") as file:
            rate = json.load(file)["theory"]["rate"]
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{path}: not a result of fitrelu fit --json (no theory.rate)")
    if rate is None:  # neither Theorem 3.1 nor 3.2 speaks of such a run
        print(f"plot: {path}: no theorem speaks of this run; it gets no line", file=sys.stderr)
        return None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < 1:
        raise BadInput(f"{path}: theory.rate is {rate}; a line needs one between 0 and 1")
    return float(rate)


def positive(values):
    """For a logarithmic axis: zeros and what is not finite leave gaps."""
    return [v if math.isfinite(v) and v > 0 else math.nan for v in values]


def first_positive(values):
    return next((v for v in positive(values) if not math.isnan(v)), math.nan)


def last_point(xs, ys):
    points = [(x, y) for x, y in zip(xs, positive(ys)) if not math.isnan(y)]
    return points[-1]


def theorem_lines(curves, rates, quantity):
    """[(colour, start, rate, last step)]: the theorems bound the squared error by rho^t times that of the start,
    so the error by sqrt(rho^t). With a rate for each curve, each line has its curve's start and colour."""
    if not rates or quantity != "relative_error":
        return []
    if len(rates) == len(curves):
        pairs = [(curve, rate, COLOURS[i % len(COLOURS)]) for i, (curve, rate) in enumerate(zip(curves, rates))]
        if len(curves) == 1:
            pairs = [(curves[0], rates[0], GREY)]
    else:
        highest = max(curves, key=lambda curve: first_positive(curve.error))
        pairs = [(highest, rate, GREY) for rate in rates]
    last = max(curve.steps[-1] for curve in curves)
    return [(colour, first_positive(curve.error), rate, last) for curve, rate, colour in pairs if rate is not None]


AXES = {"steps": "step", "seconds": "seconds", "bytes": "bytes sent by a worker"}


def with_matplotlib(axes, curves, quantity, ylabel, lines, title, output, kind):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    plt.rcParams.update({
        "font.family": "DejaVu Sans", "font.size": 15, "axes.labelsize": 15, "axes.titlesize": 17,
        "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#404040",
        "axes.labelcolor": "#202020", "xtick.color": "#404040", "ytick.color": "#404040",
        "svg.fonttype": "none", "svg.hashsalt": "fitrelu"})
    figure, panels = plt.subplots(1, len(axes), figsize=(13 if len(axes) > 1 else 8, 5.2), sharey=True, squeeze=False,
                                  layout="constrained")
    panels = list(panels[0])
    figure.get_layout_engine().set(wspace=0.04, w_pad=0.1, h_pad=0.1)
    ends = {panel: [] for panel in panels}
    for panel, xlabel in zip(panels, axes):
        for i, curve in enumerate(curves):
            xs = curve.along(xlabel)
            ys = positive(curve.values(quantity))
            colour = COLOURS[i % len(COLOURS)]
            panel.plot(xs, ys, color=colour, linewidth=2.6, solid_capstyle="round",
                       linestyle="-" if i < len(COLOURS) else "-.", zorder=3)
            x, y = last_point(xs, ys)
            panel.plot([x], [y], "o", color=colour, markersize=7, zorder=4, clip_on=False)
            ends[panel].append((y, curve.label, colour))
        # From an end short of the others' a faint line leads to its label at the edge.
        longest = max(curve.along(xlabel)[-1] for curve in curves)
        edge = longest * 1.015 if longest > 0 else 1
        for line in panel.get_lines()[1::2]:
            (x,), (y,) = line.get_data()
            panel.plot([x, edge], [y, y], color=line.get_color(), linewidth=1, linestyle=(0, (1, 3)), zorder=2)
        panel.set_yscale("log")
        panel.set_xlabel(xlabel)
        panel.set_xlim(0, edge)
        panel.xaxis.set_major_locator(MaxNLocator(6))
        panel.grid(True, color="#E4E4E4", linewidth=0.9)
        panel.set_axisbelow(True)
        panel.yaxis.set_major_locator(LogLocator(10, numticks=9))
        panel.yaxis.set_minor_formatter(NullFormatter())
        panel.tick_params(axis="y", which="minor", length=0)
    # The measured curves choose the range; a slow theorem must not flatten them.
    for colour, start, rate, last in lines:
        xs = [last * i / 200 for i in range(201)]
        ys = [start * math.exp(0.5 * x * math.log(rate)) for x in xs]
        low = panels[0].get_ylim()[0]
        shown = [(x, y) for x, y in zip(xs, ys) if y >= low]
        panels[0].plot(*zip(*shown), color=colour, linewidth=2, linestyle=(0, (5, 3)), zorder=2)
        ends[panels[0]].append((shown[-1][1], "theorem", colour))
    panels[0].set_ylabel(ylabel)
    if title:
        figure.suptitle(title, fontsize=18, color="#202020")
    for panel in panels:
        label_ends(panel, ends[panel])
    metadata = {"Date": None} if kind == "svg" else None
    figure.savefig(output, format=kind, dpi=120, facecolor="white", metadata=metadata)


def with_gnuplot(axes, curves, quantity, ylabel, lines, title, output, kind):
    with tempfile.TemporaryDirectory() as folder:
        def quote(text):
            return "'" + text.replace("'", "''") + "'"

        panels = {axis: [] for axis in axes}
        for i, curve in enumerate(curves):
            data = os.path.join(folder, f"{i}.txt")
            with open(data, "w", encoding="utf-8") as file:
                for *xs, y in zip(*map(curve.along, axes), positive(curve.values(quantity))):
                    file.write(" ".join("%.17g" % x for x in xs) + (" NaN\n" if math.isnan(y) else " %.17g\n" % y))
            for column, panel in enumerate(panels, start=1):
                panels[panel].append(f"{quote(data)} using {column}:{len(axes) + 1} with lines lw 2.5 "
                                     f"lc rgb '{COLOURS[i % len(COLOURS)]}' title {quote(curve.label)} noenhanced")
        low = min(v for curve in curves for v in positive(curve.values(quantity)) if not math.isnan(v))
        for colour, start, rate, last in lines:
            panels["step"].append(f"[0:{last:.17g}] ({start:.17g}*exp(0.5*x*{math.log(rate):.17g}) >= {low:.17g} ? "
                                  f"{start:.17g}*exp(0.5*x*{math.log(rate):.17g}) : NaN) with lines dt 2 lw 2 "
                                  f"lc rgb '{colour}' title 'theorem'")
        terminal = {"png": "pngcairo size 1560,620 font ',17'", "svg": "svg size 1300,520 font ',16'"}[kind]
        script = [f"set terminal {terminal}", f"set output {quote(output)}", "set logscale y", "set format y '10^{%L}'",
                  "set grid lc rgb '#E4E4E4'", "set border 3", "set tics nomirror", "set key top right",
                  f"set multiplot layout 1,{len(axes)} {'title ' + quote(title) if title else ''}", f"set ylabel {quote(ylabel)}"]
        for panel, plots in panels.items():
            script += [f"set xlabel '{panel}'", "plot " + ", ".join(plots), "unset ylabel"]
        done = subprocess.run(["gnuplot"], input="\n".join(script) + "\nunset multiplot\n", text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0 or not os.path.getsize(output):
            raise BadInput("gnuplot failed: " + " ".join(done.stderr.split())[:200])


def draw(arguments):
    kind = os.path.splitext(arguments.output)[1].lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise BadInput(f"{arguments.output}: the ending must be .png or .svg")
    named = [label_and_path(argument) for argument in arguments.history]
    if all(plot_bench.read(path) for _, path in named):
        return draw_whole(arguments.output, kind, lambda part: draw_bench(named, arguments.title, part, kind))
    curves = [read_history(argument) for argument in arguments.history]
    rates = arguments.rate + [read_rate(path) for path in arguments.json]
    known = all(not math.isnan(first_positive(curve.error)) for curve in curves)
    quantity, ylabel = ("relative_error", "relative error  ‖w − w*‖ / ‖w*‖") if known else ("loss", "loss")
    for curve in curves:
        if math.isnan(first_positive(curve.values(quantity))):
            raise BadInput(f"{curve.path}: no positive {quantity.replace('_', ' ')} to draw")
    axes = [AXES[arguments.x]] if arguments.x else ["step", "seconds"]
    lines = theorem_lines(curves, rates, quantity) if axes[0] == "step" else []
    if rates and axes[0] != "step":
        print("plot: no theorem's line, since it is one over steps", file=sys.stderr)
    elif rates and not lines:
        print("plot: no theorem's line, since it bounds the relative error and that is unknown here", file=sys.stderr)

    try:
        import matplotlib  # noqa: F401

        backend = with_matplotlib
    except ImportError:
        backend = with_gnuplot
        if not shutil.which("gnuplot"):
            raise BadInput("neither matplotlib nor gnuplot is there (tools/setup installs matplotlib)")
    if any(not math.isfinite(x) or x < 0 for curve in curves for axis in axes for x in curve.along(axis)):
        raise BadInput(f"a history has no {axes[0]} to draw along")
    return draw_whole(arguments.output, kind,
                      lambda part: backend(axes, curves, quantity, ylabel, lines, arguments.title, part, kind))


def draw_bench(named, title, output, kind):
    try:
        plot_bench.draw([path for _, path in named], [label for label, _ in named], title, output, kind)
    except ValueError as error:
        raise BadInput(f"{named[0][1]}: {error}")
    except ImportError:
        raise BadInput("results of bench need matplotlib (tools/setup installs it)")


def draw_whole(output, kind, backend):
    """Drawn beside the goal and renamed, so that the picture appears whole or not at all."""
    folder = os.path.dirname(output) or "."
    try:
        handle, part = tempfile.mkstemp(suffix="." + kind, prefix=".plot-", dir=folder)
        os.close(handle)
    except OSError as error:
        raise BadInput(f"{output}: {error.strerror}")
    try:
        backend(part)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(part, 0o666 & ~mask)
        os.replace(part, output)
    except OSError as error:
        raise BadInput(f"{output}: {error.strerror}")
    finally:
        if os.path.exists(part):
            os.unlink(part)
    print(f"plot: wrote {output}")


def rate_argument(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number between 0 and 1")
    return value


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"plot: {message} (try --help)", file=sys.stderr)
        sys.exit(2)


def main():
    parser = Parser(
        prog="tools/plot", allow_abbrev=False,
        description="Draws files written by 'fitrelu fit --history': the relative error (the loss, where w* is "
                    "unknown) against the step and against the seconds, a curve a file. Of a file that 'fitrelu bench --json' "
                    "wrote: time and bandwidth over size; of two: what became slower or faster.",
        epilog="Example: tools/plot --rate 0.999 SGD=sgd.csv 'QSGD, s = 15=qsgd.csv'")
    parser.add_argument("history", nargs="+", metavar="[LABEL=]FILE",
                        help="history file, and the name of its curve (the file's own name if none is given)")
    parser.add_argument("-o", "--output", default="convergence.png", metavar="FILE",
                        help="picture to write, .png or .svg (default: %(default)s)")
    parser.add_argument("--rate", type=rate_argument, action="append", default=[], metavar="RHO",
                        help="also draw a theorem's line, the error of the start times sqrt(RHO^step); with as many "
                             "as files, one for each")
    parser.add_argument("--json", action="append", default=[], metavar="FILE",
                        help="take RHO from theory.rate of a result written by 'fitrelu fit --json'")
    parser.add_argument("--x", choices=list(AXES), help="draw along this alone (default: steps and seconds, side by side)")
    parser.add_argument("--title", default="", metavar="TEXT", help="text above the picture")
    arguments = parser.parse_args()
    try:
        draw(arguments)
    except BadInput as error:
        print(f"plot: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
