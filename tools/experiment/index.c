/*
 * index.c - OUTPUT/index.html: all experiments on one page.
 *
 * The page is one file that opens without a network: style and pictures stand inside it, and it has no script. It
 * follows the reader's choice of a light or dark screen; pictures keep their white ground.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "experiment/experiment.h"
#include "base/status.h"

static const char style[] =
    ":root{color-scheme:light dark;--ground:#fbfbf9;--card:#fff;--text:#1d1f21;--soft:#5c6166;--line:#dfe1e3;"
    "--good:#00714f;--bad:#b04400;--code:#f1f2f0}\n"
    "@media(prefers-color-scheme:dark){:root{--ground:#15171a;--card:#1e2125;--text:#e6e7e8;--soft:#a2a8ae;"
    "--line:#353a40;--good:#4cc79b;--bad:#f0955a;--code:#272b30}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--ground);color:var(--text);font:16px/1.55 system-ui,sans-serif}\n"
    "main{max-width:62rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}\n"
    "h1{font-size:1.9rem;line-height:1.25;margin:0 0 .4rem}\n"
    "h2{font-size:1.25rem;line-height:1.35;margin:0 0 .8rem}\n"
    "p{margin:.4rem 0}.soft{color:var(--soft)}a{color:inherit}\n"
    "nav{margin:1.4rem 0 2rem;display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:.6rem}\n"
    "nav a{display:flex;justify-content:space-between;gap:.6rem;padding:.55rem .8rem;border:1px solid var(--line);"
    "border-radius:.5rem;background:var(--card);text-decoration:none}\n"
    "nav a:hover{border-color:var(--soft)}\n"
    "section{background:var(--card);border:1px solid var(--line);border-radius:.8rem;padding:1.4rem 1.4rem 1.2rem;"
    "margin:0 0 1.6rem}\n"
    "figure{margin:0 0 1rem;background:#fff;border-radius:.5rem;padding:.6rem}\n"
    "figure img{display:block;width:100%;height:auto}\n"
    "pre{background:var(--code);border-radius:.5rem;padding:.6rem .9rem;margin:0 0 1rem;white-space:pre-wrap}\n"
    "code,pre{font:.9rem/1.5 ui-monospace,monospace}\n"
    "ul{list-style:none;margin:0;padding:0}\n"
    "li{padding:.7rem 0 .7rem 10rem;border-top:1px solid var(--line);position:relative}\n"
    "li b{position:absolute;left:0;font-weight:600}li.y b{color:var(--good)}li.n b{color:var(--bad)}\n"
    "details{margin-top:.8rem;border-top:1px solid var(--line);padding-top:.7rem}summary{cursor:pointer}\n"
    ".wide{overflow-x:auto;margin-top:.6rem}\n"
    "table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.25rem .9rem .25rem 0;text-align:left;border-bottom:1px solid var(--line);white-space:nowrap}\n"
    "td.n{text-align:right}th:not(:first-child){text-align:right}\n"
    "footer{color:var(--soft);margin-top:2rem}\n"
    "@media(max-width:40rem){li{padding-left:0}li b{position:static;display:block}}\n";

/* A word of a command line, quoted where a shell would take it apart. */
static void write_word(fr_output *page, const char *word) {
    bool plain = *word != '\0';
    for (const char *c = word; *c; c++) plain &= isalnum((unsigned char)*c) || strchr("-_./,=+:", *c) != NULL;
    if (!plain) fr_output_printf(page, "'");
    for (const char *c = word; *c; c++) {
        const char one[2] = {*c, '\0'};
        index_text(page, !plain && *c == '\'' ? "'\\''" : one);
    }
    if (!plain) fr_output_printf(page, "'");
}

/* The command that makes one experiment, with the options that were given. */
static void write_command(fr_output *page, const char *name, const experiment_settings *s) {
    const struct {
        const char *option;
        int64_t value;
    } numbers[] = {{"--samples", s->samples},
                   {"--features", s->features},
                   {"--iterations", s->iterations},
                   {"--seeds", s->seeds}};
    fr_output_printf(page, "<pre>fitrelu experiment %s --output ", name);
    write_word(page, s->output);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (numbers[i].value > 0) fr_output_printf(page, " %s %" PRId64, numbers[i].option, numbers[i].value);
    for (int i = 0; i < s->batch_count; i++)
        fr_output_printf(page, "%s%" PRId64, i ? "," : " --batches ", s->batches[i]);
    if (s->seed != 1) fr_output_printf(page, " --seed %" PRIu64, s->seed);
    if (s->device != FR_DEVICE_CPU)
        fr_output_printf(page, " --device %s", s->device == FR_DEVICE_CUDA ? "cuda" : "auto");
    fr_output_printf(page, "%s%s</pre>\n", s->full ? " --full" : "", s->no_pictures ? " --no-pictures" : "");
}

static int holding(const verdict_list *list) {
    int count = 0;
    for (int i = 0; i < list->count; i++) count += list->items[i].holds;
    return count;
}

static void write_top(fr_output *page, const experiment_found found[], int count) {
    int claims = 0, held = 0;
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
    for (int i = 0; i < count; i++) {
        claims += found[i].verdicts.count;
        held += holding(&found[i].verdicts);
    }
    fr_output_printf(page,
                     "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
                     "<title>fitrelu: the paper, measured</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n",
                     style);
    fr_output_printf(
        page,
        "<h1>Fitting ReLUs via SGD and Quantized SGD, measured</h1>\n"
        "<p>%d claims were held against measurement; %d hold, %d do not. A claim that does not hold says "
        "something about the paper or marks where it ends; it is no failure of the program.</p>\n"
        "<p class=\"soft\">fitrelu %s, %s</p>\n<nav>\n",
        claims, held, claims - held, fr_version(), date);
    for (int i = 0; i < count; i++)
        fr_output_printf(page, "<a href=\"#%s\"><span>%s</span><span class=\"soft\">%d of %d</span></a>\n",
                         found[i].what->name, found[i].what->name, holding(&found[i].verdicts),
                         found[i].verdicts.count);
    fr_output_printf(page, "</nav>\n");
}

static bool write_picture(fr_output *page, const experiment_settings *settings, const experiment *what) {
    char path[EXPERIMENT_TEXT];
    snprintf(path, sizeof path, "%.400s/%s.png", settings->output, what->name);
    FILE *file = fopen(path, "rb");
    if (settings->no_pictures || !file) {
        if (file) fclose(file);
        fr_output_printf(page, "<p class=\"soft\">No picture was drawn.</p>\n");
        return true;
    }
    fclose(file);
    fr_output_printf(page, "<figure><img alt=\"");
    index_text(page, what->title);
    fr_output_printf(page, "\" src=\"data:image/png;base64,");
    bool whole = index_base64(page, path);
    fr_output_printf(page, "\"></figure>\n");
    return whole;
}

static bool write_section(fr_output *page, const experiment_settings *settings, const experiment_found *found) {
    fr_output_printf(page, "<section id=\"%s\">\n<h2>", found->what->name);
    index_text(page, found->what->title);
    fr_output_printf(page, "</h2>\n");
    write_command(page, found->what->name, settings);
    bool whole = write_picture(page, settings, found->what);
    fr_output_printf(page, "<ul>\n");
    for (int i = 0; i < found->verdicts.count; i++) {
        const verdict *one = &found->verdicts.items[i];
        fr_output_printf(page, "<li class=\"%s\"><b>%s</b>", one->holds ? "y" : "n",
                         one->holds ? "&check; holds" : "&cross; does not hold");
        index_text(page, one->paper);
        fr_output_printf(page, "<br><span class=\"soft\">measured: ");
        index_text(page, one->measured);
        fr_output_printf(page, "</span></li>\n");
    }
    fr_output_printf(page, "</ul>\n");
    index_tables(page, found->summary);
    fr_output_printf(page, "</section>\n");
    return whole;
}

fr_status experiment_write_index(const experiment_settings *settings, const experiment_found found[], int count,
                                 fr_error *error) {
    char path[EXPERIMENT_TEXT];
    fr_output *page = NULL;
    snprintf(path, sizeof path, "%.400s/index.html", settings->output);
    fr_status status = fr_output_open(path, &page, error);
    if (status != FR_OK) return status;
    write_top(page, found, count);
    for (int i = 0; i < count; i++) {
        if (write_section(page, settings, &found[i])) continue;
        fr_output_discard(page);
        return fr_fail_errno(error, FR_ERROR, "%s: the picture of %s cannot be read", path, found[i].what->name);
    }
    fr_output_printf(page,
                     "<footer>The CSV and JSON of each experiment stand beside this page. The paper: Mousavi Kalan, "
                     "Soltanolkotabi, Avestimehr, <i>Fitting ReLUs via SGD and Quantized SGD</i>, 2019.</footer>\n"
                     "</main>\n</body>\n</html>\n");
    return fr_output_commit(page, error);
}
