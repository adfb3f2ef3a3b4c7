/*
 * index_test.cpp - the page of all experiments: what it is made of, and that a real browser shows it without a missing
 * picture, a script error or a request to anywhere.
 */
#include <functional>

#include "experiment_rig.h"

class Page : public Experiment {
  protected:
    /* The text that `write` appends. */
    std::string written(const std::function<void(fr_output *)> &append) const {
        fr_output *out = nullptr;
        EXPECT_EQ(fr_output_open((folder + "/part").c_str(), &out, nullptr), FR_OK);
        append(out);
        EXPECT_EQ(fr_output_commit(out, nullptr), FR_OK);
        return text("part");
    }
};

/* ----------------------------------------------------------------------------------------------- texts */

TEST_F(Page, TextIsEscaped) {
    EXPECT_EQ(written([](fr_output *out) { index_text(out, "a < b & \"c\" > d"); }),
              "a &lt; b &amp; &quot;c&quot; &gt; d");
}

TEST_F(Page, Base64IsThatOfRfc4648) {
    const std::pair<std::string, std::string> known[] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {std::string("\0\xff\xfe", 3), "AP/+"}};
    for (const auto &[bytes, expected] : known) {
        write("bytes", bytes);
        EXPECT_EQ(written([&](fr_output *out) { EXPECT_TRUE(index_base64(out, (folder + "/bytes").c_str())); }),
                  expected);
    }
    written([&](fr_output *out) { EXPECT_FALSE(index_base64(out, (folder + "/nothing").c_str())); });
}

TEST_F(Page, TablesAreTheArraysOfTheSummary) {
    char *summary = nullptr;
    size_t size = 0;
    FILE *memory = open_memstream(&summary, &size);
    json_writer json = json_start(memory);
    json_begin(&json, nullptr);
    json_string(&json, "title", "[");
    json_begin_array(&json, "some_cells");
    for (int i = 0; i < 2; i++) {
        json_begin(&json, nullptr);
        json_string(&json, "way", i ? "b < c" : "say \"a\", b");
        json_number(&json, "last_error", i ? NAN : 0.000123456);
        json_integer(&json, "workers", 40);
        json_end(&json);
    }
    json_end_array(&json);
    json_begin_array(&json, "verdicts");
    json_end_array(&json);
    json_end(&json);
    fclose(memory);
    std::string page = written([&](fr_output *out) { index_tables(out, summary); });
    free(summary);
    EXPECT_NE(page.find("some cells"), std::string::npos);
    EXPECT_NE(page.find("<th>way</th><th>last error</th><th>workers</th>"), std::string::npos) << page;
    EXPECT_NE(
        page.find("<tr><td>say &quot;a&quot;, b</td><td class=\"n\">0.0001235</td><td class=\"n\">40</td></tr>"),
        std::string::npos)
        << page;
    EXPECT_NE(page.find("<td>b &lt; c</td><td class=\"n\">&ndash;</td>"), std::string::npos) << page;
    EXPECT_EQ(page.find("verdicts"), std::string::npos);
}

/* The page repeats the command as it was given, and does not repeat a picture that was not asked for. */
TEST_F(Page, SaysWhatWasFoundAndHow) {
    std::string out = folder + "/a b";
    ASSERT_EQ(mkdir(out.c_str(), 0777), 0);
    experiment_settings settings = {};
    settings.output = out.c_str();
    settings.seeds = 3, settings.seed = 7, settings.full = true, settings.no_pictures = true;
    settings.device = FR_DEVICE_CPU, settings.batches[0] = 5, settings.batches[1] = 6, settings.batch_count = 2;
    char summary[] = "{\n}\n";
    experiment_found found = {&experiment_fig1a, {}, summary};
    verdict_add(&found.verdicts, true, "x <= y", "1");
    verdict_add(&found.verdicts, false, "z", "2");
    ASSERT_EQ(experiment_write_index(&settings, &found, 1, nullptr), FR_OK);
    std::string page = text("a b/index.html");
    EXPECT_NE(page.find("fitrelu experiment fig1a --output '" + out +
                        "' --seeds 3 --batches 5,6 --seed 7 --full "
                        "--no-pictures"),
              std::string::npos);
    EXPECT_NE(page.find("2 claims were held against measurement; 1 hold, 1 do not"), std::string::npos);
    EXPECT_NE(page.find("x &lt;= y"), std::string::npos);
    EXPECT_EQ(page.find("<img"), std::string::npos);
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
