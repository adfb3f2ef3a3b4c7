/*
 * page_test.cpp - the page of all experiments: what it is made of, and that a real browser shows it without a missing
 * picture, a script error or a request to anywhere.
 */
#include "experiment_rig.h"

/* An experiment's JSON as far as the page reads it, with more members after the verdicts. */
static std::string summary(const std::string &more = "") {
    return R"({"program": "fitrelu", "version": "0.1", "experiment": "fig1a", "title": "a < b & \"c\" > d",
               "command": "fitrelu experiment fig1a --seeds 3", "settings": {"batches": [5, 6]},
               "verdicts": [{"source": "paper", "claim": "||x_t|| <= rho^t d^2", "measured": "1", "holds": true},
                            {"source": "paper", "claim": "z", "measured": "2", "holds": false},
                            {"source": "own", "claim": "u", "measured": "3", "holds": null}])" +
           more + "}";
}

class Page : public Experiment {
  protected:
    void SetUp() override {
        Experiment::SetUp();
        if (run_words({"python3", "-c", ""}).code != 0) GTEST_SKIP() << "no python3 here";
    }

    /* The page that the script makes of `out`, where fig1a.json and perhaps fig1a.png are. */
    std::string page(const std::string &out, const std::string &option = "") const {
        std::vector<std::string> words = {"python3", "-B", FITRELU_PAGE_SCRIPT};
        if (!option.empty()) words.push_back(option);
        words.insert(words.end(), {out, "fig1a"});
        Said said = run_words(words);
        EXPECT_EQ(said.code, 0) << said.err;
        EXPECT_FALSE(exists(out + "/index.html.part"));
        return text(out + "/index.html");
    }
};

static void holds(const std::string &page, const std::string &part) {
    EXPECT_NE(page.find(part), std::string::npos) << part << " in " << page;
}

TEST_F(Page, SaysWhatWasFoundAndHow) {
    ASSERT_EQ(mkdir((folder + "/a b").c_str(), 0777), 0);
    write("a b/fig1a.json", summary());
    write("a b/fig1a.png", "foo");
    std::string made = page("a b");
    holds(made, "1 of 2 of the paper's claims hold, and 0 of 0 of our own, 1 cannot be told");
    holds(made, "<span>fig1a</span><span class=\"soft\">1 of 2</span>");
    holds(made, "<h2>a &lt; b &amp; &quot;c&quot; &gt; d</h2>");
    holds(made, "<pre>fitrelu experiment fig1a --seeds 3 --output &#x27;a b&#x27;</pre>");
    holds(made, "src=\"data:image/png;base64,Zm9v\"");
    holds(made, "<li class=\"y\"><b>&check; holds</b>‖x<sub>t</sub>‖ ≤ ρ<sup>t</sup> d<sup>2</sup>");
    holds(made, "<li class=\"n\"><b>&cross; does not hold</b>z");
    holds(made, "<li class=\"u\"><b>? cannot be told</b><span class=\"soft\">(not in the paper)</span> u");
    EXPECT_EQ(made.find("<table"), std::string::npos) << "settings and verdicts are no tables";
}

/* An old picture is none of this run. */
TEST_F(Page, HasNoPictureWhereNoneWasDrawn) {
    write("fig1a.json", summary());
    holds(page("."), "No picture was drawn.");
    write("fig1a.png", "old");
    std::string made = page(".", "--no-pictures");
    holds(made, "No picture was drawn.");
    holds(made, "--output . --no-pictures</pre>");
    EXPECT_EQ(made.find("<img"), std::string::npos);
}

TEST_F(Page, TablesAreTheArraysOfTheSummary) {
    write("fig1a.json", summary(R"(, "some_cells": [{"way": "say \"a\", b", "last_error": 0.000123456, "workers": 40},
        {"way": "b < c", "last_error": null, "workers": 40, "up": 2.5}], "empty": [])"));
    std::string made = page(".");
    holds(made, "Measured values: some cells");
    holds(made, "<th>way</th><th>last error</th><th>workers</th><th>up</th>");
    holds(made, "<tr><td>say &quot;a&quot;, b</td><td class=\"n\">0.0001235</td><td class=\"n\">40</td>"
                "<td class=\"n\">&ndash;</td></tr>");
    holds(made, "<td>b &lt; c</td><td class=\"n\">&ndash;</td><td class=\"n\">40</td>"
                "<td class=\"n\">2.5</td></tr>");
}

/* Results stay without the page, and one line says what is missing. */
TEST_F(Experiment, WithoutPythonTheResultsStay) {
    How how = no_cluster;
    how.environment.push_back("FITRELU_PYTHON=/nowhere/python3");
    Said said = run("experiment all -n 128 -d 32 --batches 80 --seeds 2 --iterations 30 --no-pictures --output out", how);
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.err.find("fitrelu: no page of all: it needs Python 3\n"), std::string::npos) << said.err;
    EXPECT_EQ(said.out.find("index.html"), std::string::npos);
    EXPECT_FALSE(exists("out/index.html"));
    for (const char *name : {"fig1a", "theorems", "ensemble"}) {
        EXPECT_TRUE(exists(std::string("out/") + name + ".json")) << name;
        EXPECT_TRUE(exists(std::string("out/") + name + ".csv")) << name;
        EXPECT_FALSE(exists(std::string("out/") + name + ".partial")) << name;
    }
    EXPECT_EQ(text("out/fig2a.json").find("--batches"), std::string::npos) << "a command that fig2a would refuse";
    said = run("experiment fig1a -n 64 -d 8 --batches 8 --seeds 1 --iterations 5 --output out", how);
    EXPECT_EQ(said.code, 0);
    EXPECT_NE(said.err.find("fitrelu: no picture of fig1a: it needs Python 3 with matplotlib\n"), std::string::npos);
}

/* --------------------------------------------------------------------------------------------- browser */

class Browser : public Page {
  protected:
    std::string browser;
    void SetUp() override {
        Page::SetUp();
        for (const char *name : {"chromium", "chromium-browser", "google-chrome"})
            if (browser.empty() && run_words({"sh", "-c", std::string("command -v ") + name}).code == 0)
                browser = name;
        if (browser.empty()) GTEST_SKIP() << "no chromium here (tools/setup --all installs it)";
    }

    /* Opens a copy of the page that looks at itself once loaded and writes what it saw into its title. Console
     * messages, which no script can see, come on stderr. */
    Said look_at(std::string page) const {
        const std::string listen = "<script>window.faults=[];addEventListener('error',e=>faults.push(e.message||"
                                   "'cannot load '+e.target.tagName),true)</script>";
        const std::string look = "<script>addEventListener('load',()=>{const all=[...document.images];document.title="
                                 "'seen: '+all.length+' pictures, '+all.filter(i=>!i.complete||i.naturalWidth===0)."
                                 "length+' missing, '+performance.getEntriesByType('resource').filter(r=>!r.name."
                                 "startsWith('data:')).length+' requests, faults: '+faults.join(';')+'.'})</script>";
        page.insert(page.find("<head>") + 6, listen);
        page.insert(page.find("</body>"), look);
        write("looked-at.html", page);
        return run_words({browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                          "--enable-logging=stderr", "--user-data-dir=" + folder + "/profile", "--dump-dom",
                          "file://" + folder + "/looked-at.html"},
                         {.environment = {"HOME=" + folder}, .out_path = "", .signal = 0});
    }
};

TEST_F(Browser, ShowsAllExperimentsOnOnePageWithoutAFault) {
    Said made = run("experiment all -n 128 -d 32 --batches 80 --seeds 2 --iterations 30 --quiet --output out", no_cluster);
    ASSERT_EQ(made.code, 0) << made.err;
    if (!exists("out/fig1a.png")) GTEST_SKIP() << "no Python with matplotlib here";
    for (const char *name :
         {"fig1a", "fig1b", "fig2a", "fig2b", "scales", "collectives", "lemmas", "theorems", "ensemble"}) {
        EXPECT_TRUE(exists(std::string("out/") + name + ".png")) << name;
        EXPECT_TRUE(exists(std::string("out/") + name + ".svg")) << name;
        EXPECT_FALSE(exists(std::string("out/") + name + ".partial")) << name;
    }
    Said seen = look_at(text("out/index.html"));
    EXPECT_NE(seen.out.find("<title>seen: 9 pictures, 0 missing, 0 requests, faults: .</title>"), std::string::npos)
        << seen.out.substr(0, 1500) << seen.err;
    EXPECT_EQ(seen.err.find("CONSOLE"), std::string::npos) << seen.err;
    EXPECT_EQ(text("out/index.html").find("<script"), std::string::npos);
}

/* The look itself: a picture that is not one, a script that throws and a console error are all seen. */
TEST_F(Browser, IsSeenToFail) {
    Said seen = look_at("<html><head></head><body><img src=\"data:image/png;base64,AAAA\">"
                        "<script>console.error('loud');</script><script>nothing.here()</script></body></html>");
    EXPECT_NE(seen.out.find("seen: 1 pictures, 1 missing"), std::string::npos) << seen.out;
    EXPECT_NE(seen.out.find("nothing is not defined"), std::string::npos) << seen.out;
    EXPECT_NE(seen.err.find("CONSOLE"), std::string::npos) << seen.err;
}
