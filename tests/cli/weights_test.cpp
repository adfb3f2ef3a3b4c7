/*
 * weights_test.cpp - the program and weights of rows: fits and predictions by them, and what is refused.
 */
#include "program.h"

namespace {

class WeightedRows : public Program {
  protected:
    /* y about 3 a - 2 b + 1, one row each; `often` writes a row as often as its weight says. */
    std::string rows(bool often) const {
        std::string text = often ? "a,b,y\n" : "a,u,b,y\n";
        for (int i = 0; i < 60; i++) {
            int a = i * 7 % 19, b = i * 5 % 11, u = i % 4;
            double y = std::max(0.0, 3.0 * a - 2.0 * b + 1 + (i * 13 % 7 - 3) / 4.0);
            std::string before = std::to_string(a) + ",", after = std::to_string(b) + "," + std::to_string(y) + "\n";
            for (int times = 0; often && times < u; times++) text += before + after;
            if (!often) text += before + std::to_string(u) + "," + after;
        }
        return text;
    }

    std::string column_of_weights() const {
        std::string text;
        for (int i = 0; i < 60; i++) text += std::to_string(i % 4) + "\n";
        return text;
    }

    /* "loss            12.3", to the digits that are printed. */
    static std::string loss(const Said &said) {
        size_t at = said.out.find("loss ");
        EXPECT_NE(at, std::string::npos) << said.out << said.err;
        return at == std::string::npos ? "" : said.out.substr(at, said.out.find("active rows") - at);
    }
};

TEST_F(WeightedRows, AreFittedAsIfRepeated) {
    write("rows.csv", rows(false));
    write("often.csv", rows(true));
    write("u.txt", column_of_weights());
    Said often = run("fit --data often.csv --intercept --quiet --model many");
    Said column = run("fit --data rows.csv --weight-column u --intercept --quiet --model one");
    EXPECT_EQ(loss(column), loss(often));
    EXPECT_NE(column.out.find("weights         u"), std::string::npos) << column.out;
    EXPECT_NE(column.out.find("60 rows of 2 features"), std::string::npos) << column.out;
    Said expected = run("predict many often.csv --quiet"), told = run("predict many often.csv");
    size_t note = told.err.find("loss ");
    ASSERT_NE(note, std::string::npos) << told.err;
    Said weighed = run("predict one rows.csv --weight-column u");
    EXPECT_EQ(weighed.code, 0) << weighed.err;
    EXPECT_EQ(run("predict one rows.csv").out, weighed.out); /* the model knows the column for no feature */
    EXPECT_NE(weighed.err.find(told.err.substr(note)), std::string::npos) << weighed.err << told.err;
    EXPECT_EQ(std::count(weighed.out.begin(), weighed.out.end(), '\n'), 60); /* rows of weight 0 too */
    EXPECT_EQ(std::count(expected.out.begin(), expected.out.end(), '\n'), 90);
}

TEST_F(WeightedRows, TakeWeightsFromAFileOfTheirOwn) {
    write("rows.csv", rows(false));
    write("bare.csv", [this] {
        std::string text = rows(false), bare;
        for (size_t at = 0; at < text.size();) { /* without the second field */
            size_t end = text.find('\n', at), first = text.find(',', at), second = text.find(',', first + 1);
            bare += text.substr(at, first - at) + text.substr(second, end + 1 - second);
            at = end + 1;
        }
        return bare;
    }());
    write("u.txt", column_of_weights());
    Said column = run("fit --data rows.csv --weight-column u --intercept --quiet --model one");
    Said file = run("fit --data bare.csv --weights u.txt --intercept --quiet --model two");
    EXPECT_EQ(file.code, 0) << file.err;
    EXPECT_EQ(run("show one --csv").out, run("show two --csv").out);
    EXPECT_EQ(run("predict one bare.csv --weights u.txt").err, run("predict one rows.csv --weight-column u").err);
}

TEST_F(WeightedRows, CountAmongRowsHeldOut) {
    write("rows.csv", rows(false));
    auto held_out = [this](const std::string &more) {
        std::string text = run("fit --data rows.csv --intercept --holdout 0.4 " + more).out;
        size_t at = text.find("held out  ");
        return at == std::string::npos ? text : text.substr(at, text.find('\n', at) - at);
    };
    EXPECT_NE(held_out("--weight-column u"), held_out("--ignore u"));
    EXPECT_EQ(held_out("--weight-column u"), held_out("--weight-column u --columns a,b"));
}

TEST_F(WeightedRows, AreNoFeatures) {
    write("rows.csv", rows(false));
    Said both = run("fit --data rows.csv --weight-column u --columns a,u");
    EXPECT_EQ(both.code, 2);
    EXPECT_NE(both.err.find("cannot be the weight and in --columns both"), std::string::npos) << both.err;
}

TEST_F(WeightedRows, AreRefused) {
    write("rows.csv", "a,u,y\n1,2,3\n2,-1,4\n");
    write("none.csv", "a,u,y\n1,0,3\n2,0,4\n");
    write("good.csv", "a,u,y\n1,1,3\n2,3,6\n");
    EXPECT_EQ(run("fit --data good.csv --weight-column u --model kept --quiet").code, 0);
    run("fit --data rows.csv --weight-column u").refuses(5, {"rows.csv:3", "column 2 (\"u\")", "-1"});
    run("predict kept rows.csv --weight-column u").refuses(5, {"rows.csv:3", "-1"});
    run("fit --data none.csv --weight-column u").refuses(5, {"weights of all 2 rows are 0"});
    run("predict kept none.csv --weight-column u --label-column y").refuses(5, {"weights of all its rows are 0"});
    run("fit --data good.csv --weight-column v").refuses(2, {"--weight-column v"});
    run("fit --data good.csv --weight-column u --weights good.csv").refuses(2, {"--weights", "--weight-column"});
    run("fit --weight-column u").refuses(2, {"--weight-column u needs --data"});
    run("fit --data good.csv --weights missing.txt").refuses(1, {"missing.txt"});
}

/* Other weights are another problem. */
TEST_F(WeightedRows, AreKnownToACheckpoint) {
    write("bare.csv", "1,2\n2,4\n3,7\n");
    write("one.txt", "1\n2\n3\n");
    write("other.txt", "1\n2\n4\n");
    write("one.csv", "1,1,2\n2,2,4\n3,3,7\n");
    std::string line = "fit --data bare.csv --intercept --iterations 20 --quiet ";
    ASSERT_EQ(run(line + "--weights one.txt --checkpoint state").code, 0);
    EXPECT_EQ(run(line + "--weights one.txt --resume state").code, 0);
    run(line + "--weights other.txt --resume state").refuses(6, {"state"});
    run(line + "--resume state").refuses(6, {"state"});
    Said same = run("fit --data one.csv --weight-column 2 --intercept --iterations 20 --quiet --resume state");
    EXPECT_EQ(same.code, 0) << same.err; /* the same values in a file of another kind */
}

} // namespace
