"""Labels of curves, for plot.py, plot_bench.py and experiment_plot.py."""


def label_ends(panel, ends, size=15):
    """Of [(y, label, colour)]: right of the axes at the height of each curve's end, pushed apart where they would overlap."""
    if not ends:
        return
    panel.figure.draw_without_rendering()
    gap = 1.35 * size * panel.figure.dpi / 72 / panel.get_window_extent().height
    to_axes = panel.transData + panel.transAxes.inverted()
    placed = []
    for y, label, colour in sorted(ends):
        at = to_axes.transform((panel.get_xlim()[1], y))[1]
        placed.append([max(at, placed[-1][0] + gap) if placed else max(at, 0), label, colour])
    if placed[-1][0] > 1:
        for i, entry in enumerate(placed):
            entry[0] = min(entry[0], 1 - gap * (len(placed) - 1 - i))
    for at, label, colour in placed:
        panel.annotate(label, (1, at), xycoords="axes fraction", xytext=(12, 0), textcoords="offset points", va="center",
                       ha="left", color=colour, fontsize=size, fontweight="medium")
