/*
 * report_test.cpp - what a fit of a file tells: label, rows and columns, how good it is, rows held out, advice.
 */
#include <cmath>

#include "program.h"

#ifdef FR_HAVE_JANSSON
#include "json.h"
#endif

namespace {

class Report : public Program {
  protected:
    /* y = max(0, 2 u + v + shift) + noise, with a column that is 0. */
    std::string table(int rows, double shift = 0, double noise = 0) {
        std::string text = "u,zero,v,y\n";
        for (int i = 0; i < rows; i++) {
            double u = i * 7 % 23 / 4.0 - 2, v = i * 5 % 19 / 3.0 - 3, wave = i * 11 % 13 / 6.0 - 1;
            text += std::to_string(u) + ",0," + std::to_string(v) + "," +
                    std::to_string(std::fmax(0, 2 * u + v + shift) + noise * wave) + "\n";
        }
        return text;
    }
    static std::string line_of(const Said &said, const std::string &name) {
        size_t at = ("\n" + said.out).find("\n" + name + " ");
        if (at == std::string::npos) return "";
        std::string line = said.out.substr(at, said.out.find('\n', at) - at);
        return line.substr(std::min(line.size(), line.find_first_not_of(' ', name.size())));
    }
};

TEST_F(Report, SaysWhatWasMadeOfAFile) {
    write("rows.csv", table(60) + "1,0,NA,2\n");
    Said said = run("fit --data rows.csv --missing drop --quiet");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(line_of(said, "label"), "y");
    EXPECT_EQ(line_of(said, "rows"), "60 used, 1 left out for missing values");
    EXPECT_EQ(line_of(said, "columns"), "2 used, 1 left out");
    EXPECT_EQ(line_of(said, "intercept"), "none");
    EXPECT_EQ(line_of(said, "RMSE").empty(), false);
    EXPECT_NE(line_of(said, "iterations").find("converged at step "), std::string::npos) << said.out;
    Said with = run("fit --data rows.csv --missing drop --intercept --quiet");
    EXPECT_NEAR(std::stod(line_of(with, "intercept")), 0, 1e-2);
    Said planted = run("fit -n 100 -d 5 -T 20 --quiet");
    for (const char *name : {"label", "rows", "columns", "intercept", "RMSE"}) EXPECT_EQ(line_of(planted, name), "");
}

TEST_F(Report, JudgesByRowsThatWereHeldOut) {
    write("rows.csv", table(300, 0, 0.2));
    Said said = run("fit --data rows.csv --holdout 0.2 --quiet"), again = run("fit --data rows.csv --holdout 0.2 --quiet");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(line_of(said, "held out").rfind("R^2 0.9", 0), 0u) << said.out;
    EXPECT_EQ(line_of(said, "held out"), line_of(again, "held out"));
    EXPECT_NE(line_of(run("fit --data rows.csv --holdout 0.2 --seed 9 --quiet"), "held out"), line_of(said, "held out"));
    Said piped = run_words({"sh", "-c", "cat rows.csv | " FITRELU_PROGRAM " fit --data - --holdout 0.2 --quiet"});
    EXPECT_EQ(line_of(piped, "held out"), line_of(said, "held out"));
    run("fit -n 100 --holdout 0.2").refuses(2, {"--holdout", "--data"});
    run("fit --data rows.csv --holdout 1").refuses(2, {"--holdout", "above 0 and up to 0.99"});
    run("fit --data rows.csv --holdout 0").refuses(2, {"--holdout"});
}

TEST_F(Report, TellsWhatAnInterceptWouldAdd) {
    write("rows.csv", table(200, 6));
    Said said = run("fit --data rows.csv --model kept");
    EXPECT_EQ(said.code, 0);
    EXPECT_NE(said.err.find("with --intercept 1.000"), std::string::npos) << said.err;
    std::string kept = read("kept");
    EXPECT_EQ(run("fit --data rows.csv --intercept").err.find("with --intercept"), std::string::npos);
    EXPECT_EQ(run("fit --data rows.csv --quiet --model kept").err, "");
    EXPECT_EQ(read("kept"), kept) << "a second fit changes nothing in the first";
    write("fits.csv", table(200));
    EXPECT_EQ(run("fit --data fits.csv").err.find("with --intercept"), std::string::npos);
}

TEST_F(Report, RemarksTooFewRowsAndAFitThatIsWorseThanTheMean) {
    write("few.csv", table(5));
    EXPECT_NE(run("fit --data few.csv").err.find("5 rows are fewer than twice the 3 features"), std::string::npos);
    std::string flat = "u,y\n";
    for (int i = 0; i < 40; i++) flat += std::to_string(i % 2 ? 1 : -1) + "," + std::to_string(100 + i % 3) + "\n";
    write("flat.csv", flat);
    Said said = run("fit --data flat.csv");
    EXPECT_NE(said.err.find("the fit is worse than the mean of the labels"), std::string::npos) << said.err;
}

/* One worker more may change the collective. */
TEST_F(Report, SaysWhyAutoChoseTheCollective) {
    auto chosen = [this](const std::string &options) {
        Said said = run("fit -n 100 -d 8 -m 40 -T 5 --quiet " + options);
        return line_of(said, "chosen");
    };
    EXPECT_EQ(chosen("-K 4 --levels 31"),
              "allreduce with scale max: 4 workers of 31 levels add up to at most 124, and a byte of allreduce holds 127");
    EXPECT_EQ(chosen("-K 5 --levels 31"), "two-phase with scale max: 5 workers of 31 levels may add up to 155, more than the "
                                          "127 that a byte of allreduce holds");
    EXPECT_EQ(chosen("-K 20 --levels 1"),
              "two-phase with scale max: 20 workers are more than the 16 that allreduce is chosen for");
    EXPECT_EQ(chosen("-K 4 --levels 7 --collective master"), "scale: l2 goes with --collective master");
    EXPECT_EQ(chosen("-K 4 --levels 7 --collective master --scale max"), "");
    EXPECT_EQ(chosen("-K 4"), "");
    EXPECT_EQ(chosen("--levels 7"), "");
}

TEST_F(Report, HasNoNumberForALossThatIsNotFinite) {
    write("rows.csv", table(60));
    Said said = run("fit --data rows.csv --step-size 1e306 --iterations 20 --quiet");
    EXPECT_EQ(said.code, 4) << said.err;
    EXPECT_EQ(line_of(said, "loss"), "not finite");
    EXPECT_EQ(line_of(said, "RMSE"), "not finite");
    for (const char *text : {"nan", "inf "}) EXPECT_EQ(said.out.find(text), std::string::npos) << said.out;
}

/* Labels whose squares leave no digit of their spread: the fit and the prediction of its rows say the same. */
TEST_F(Report, HasTheR2OfLabelsFarFromZero) {
    std::string text = "u,w,y\n";
    for (int i = 0; i < 50; i++)
        text += std::to_string(i % 17) + "," + std::to_string(i % 3) + "," +
                std::to_string(1000000000 + 3 * (i % 17) + i * 7 % 5) + "\n";
    write("rows.csv", text);
    for (const std::string weights : {"--ignore w", "--weight-column w"}) {
        Said fit = run("fit --data rows.csv --intercept --quiet --model kept " + weights);
        Said predicted = run("predict kept rows.csv --output p.txt " + weights);
        EXPECT_EQ(fit.code, 0) << fit.err;
        EXPECT_NE(predicted.err.find("R^2 " + line_of(fit, "R^2") + "\n"), std::string::npos) << predicted.err << fit.out;
    }
}

#ifdef FR_HAVE_JANSSON
TEST_F(Report, HasTheSameInJson) {
    write("rows.csv", table(300, 3, 0.2));
    Json json(run("fit --data rows.csv --holdout 0.2 --json --quiet"));
    double held = json.number("holdout.rows");
    EXPECT_EQ(held + json.number("data.samples"), 300);
    EXPECT_NEAR(json.number("holdout.rmse") * json.number("holdout.rmse"), json.number("holdout.loss"), 1e-9);
    EXPECT_GT(json.number("holdout.r_squared"), 0.5);
    EXPECT_NEAR(json.number("rmse") * json.number("rmse"), json.number("loss"), 1e-9);
    EXPECT_EQ(json.text("data.label"), "y");
    EXPECT_EQ(json.number("data.features_used"), 2);
    EXPECT_EQ(json.number("data.rows_left_out"), 0);
    EXPECT_GT(json.number("converged_at"), 0);
    EXPECT_EQ(json_array_size(json.at("notes")), 2u) << "the column of zeros, and an intercept";
    EXPECT_TRUE(Json(run("fit --data rows.csv --iterations 5 --json --quiet")).null("converged_at"));
    EXPECT_TRUE(json.null("method.chosen"));
    EXPECT_EQ(Json(run("fit --data rows.csv -K 2 --bits 7 --json --quiet")).text("method.chosen").rfind("two-phase", 0), 0u);
}
#endif

} // namespace
