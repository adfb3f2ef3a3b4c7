/*
 * names_test.cpp - the program and the names of columns: predictions, remarks, starts.
 */
#include "program.h"

#ifdef FR_HAVE_JANSSON
#include "json.h"
#endif

namespace {

class NamedColumns : public Program {
  protected:
    /* Rows of sold = max(0, 4 temperature + 2 sunshine - 3 rain), their columns in the order that is asked for. */
    std::string shop(const std::vector<std::string> &columns) {
        std::string text;
        for (const std::string &column : columns) text += (text.empty() ? "" : ",") + column;
        for (int i = 0; i < 30; i++) {
            int temperature = 10 + i * 7 % 23, sunshine = i * 5 % 12, rain = i * 3 % 7;
            std::string line;
            for (const std::string &column : columns) {
                int value = column == "temperature" ? temperature
                            : column == "sunshine"  ? sunshine
                            : column == "rain"      ? rain
                            : column == "sold"      ? std::max(0, 4 * temperature + 2 * sunshine - 3 * rain)
                                                    : i;
                line += (line.empty() ? "" : ",") + std::to_string(value);
            }
            text += "\n" + line;
        }
        return text + "\n";
    }
};

TEST_F(NamedColumns, ArePredictedFromInAnyOrder) {
    write("rows.csv", shop({"sold", "temperature", "sunshine", "rain"}));
    write("bare.csv", shop({"temperature", "sunshine", "rain"}));
    write("other.csv", shop({"rain", "sunshine", "temperature", "sold"}));
    write("bare_other.csv", shop({"sunshine", "rain", "temperature"}));
    EXPECT_EQ(run("fit --data rows.csv --label-column sold --model kept --quiet").code, 0);
    Said expected = run("predict kept bare.csv");
    EXPECT_EQ(expected.code, 0) << expected.err;
    EXPECT_EQ(expected.err, "");
    for (const char *data : {"rows.csv", "other.csv"}) {
        Said said = run(std::string("predict kept ") + data);
        EXPECT_EQ(said.out, expected.out) << data;
        EXPECT_NE(said.err.find("30 rows with labels"), std::string::npos) << said.err;
        EXPECT_NE(said.err.find("R^2 1.000000"), std::string::npos) << said.err;
    }
    EXPECT_EQ(run("predict kept bare_other.csv").out, expected.out);
}

TEST_F(NamedColumns, ThatAreMissingOrUnknownAreRefused) {
    write("rows.csv", shop({"sold", "temperature", "sunshine", "rain"}));
    write("less.csv", shop({"temperature", "rain", "sold"}));
    write("more.csv", shop({"temperature", "sunshine", "rain", "snow"}));
    EXPECT_EQ(run("fit --data rows.csv --label-column sold --model kept --quiet").code, 0);
    run("predict kept less.csv").refuses(5, {"less.csv:1", "missing column \"sunshine\""});
    run("predict kept more.csv").refuses(5, {"more.csv:1", "unknown column \"snow\""});
}

TEST_F(NamedColumns, AreMatchedWhereAModelIsTheStart) {
    write("rows.csv", shop({"temperature", "sunshine", "rain", "sold"}));
    write("other.csv", shop({"rain", "temperature", "sunshine", "sold"}));
    write("strange.csv", shop({"rain", "temperature", "snow", "sold"}));
    EXPECT_EQ(run("fit --data rows.csv --model kept --quiet").code, 0);
    Said said = run("fit --data other.csv --init kept --iterations 0 --quiet");
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_NE(said.out.find("R^2             1.000000"), std::string::npos) << said.out;
    run("fit --data strange.csv --init kept").refuses(5, {"kept", "no feature \"snow\""});
}

TEST_F(NamedColumns, NameWhatWasLeftOut) {
    std::string text = "a,\"big b\",y\n";
    for (int i = 0; i < 30; i++)
        text += std::to_string(i) + "," + std::to_string(2 * i) + "," + std::to_string(3 * i) + "\n";
    write("rows.csv", text);
    Said said = run("fit --data rows.csv");
    EXPECT_NE(said.err.find("column \"big b\" of the features is a combination of others"), std::string::npos) << said.err;
}

/* ------------------------------------------------------------------------- columns chosen, of words */

/* price = max(0, 10 size + 5 if red), exactly. */
static std::string colored() {
    std::string text = "id,color,size,price\n";
    for (int i = 0; i < 20; i++) {
        int size = 1 + i * 7 % 13;
        bool red = i % 3 == 0;
        text += "n" + std::to_string(i) + (red ? ",red," : ",blue,") + std::to_string(size) + "," +
                std::to_string(10 * size + (red ? 5 : 0)) + "\n";
    }
    return text;
}

TEST_F(NamedColumns, AreChosenAndWordsBecomeColumns) {
    write("rows.csv", colored());
    run("fit --data rows.csv --quiet").refuses(5, {"columns \"id\", \"color\" hold words", "--ignore", "--categories"});
    EXPECT_EQ(run("fit --data rows.csv --categories --ignore id --model kept --quiet").code, 0);
    Said shown = run("show kept --csv");
    EXPECT_EQ(shown.out.rfind("name,coefficient\n(intercept),0\ncolor=blue,", 0), 0u) << shown.out;
    Said said = run("predict kept rows.csv"); /* id is passed over */
    EXPECT_NE(said.err.find("R^2 1.000000"), std::string::npos) << said.err;
    write("new.csv", "color,size\nred,2\n");
    EXPECT_EQ(run("predict kept new.csv").out.substr(0, 2), "25");
    write("new.csv", "color,size\ngreen,2\n");
    run("predict kept new.csv").refuses(5, {"new.csv:2", "\"green\"", "a word that the model knows"});
    said = run("fit --data rows.csv --columns size --quiet");
    EXPECT_NE(said.out.find("rows of 1 features"), std::string::npos) << said.out << said.err;
    run("fit --data rows.csv --columns size --ignore id").refuses(2, {"--columns size", "--ignore id"});
    run("fit --ignore id").refuses(2, {"--ignore id", "--data"});
    run("fit --categories").refuses(2, {"--categories", "--data"});
}

TEST_F(NamedColumns, KeepTheMeansOfTheFit) {
    write("rows.csv", "u,v,y\n1,3,7\n,2,5\n3,1,5\n2,5,12\n2,3,8\n");
    write("new.csv", "u,v\n,3\n1,\n");
    EXPECT_EQ(run("fit --data rows.csv --missing mean --model kept --quiet").code, 0);
    Said said = run("predict kept new.csv");
    EXPECT_EQ(said.code, 0);
    EXPECT_NE(said.err.find("2 missing values replaced by the mean of the column in the fit"), std::string::npos) << said.err;
    write("full.csv", "u,v\n2,3\n1,2.8\n");
    EXPECT_EQ(said.out, run("predict kept full.csv").out);
    run("predict kept new.csv --missing error").refuses(5, {"new.csv:2", "\"u\""});
}

/* -------------------------------------------------------------------------------------- fitrelu show */

/* y = max(0, 2 "a, b" + 3 v - 1), exactly. */
static std::string line_table() {
    std::string text = "\"a, b\",v,y\n";
    for (int i = 0; i < 30; i++) {
        int a = i * 7 % 11, v = i * 5 % 7;
        text += std::to_string(a) + "," + std::to_string(v) + "," + std::to_string(std::max(0, 2 * a + 3 * v - 1)) + "\n";
    }
    return text;
}

TEST_F(NamedColumns, AreShownWithTheirCoefficients) {
    write("rows.csv", line_table());
    EXPECT_EQ(run("fit --data rows.csv --intercept --model kept --quiet").code, 0);
    Said text = run("show kept"), csv = run("show kept --csv");
    EXPECT_EQ(text.code, 0) << text.err;
    EXPECT_EQ(text.out.rfind("features        2\nlabel           y", 0), 0u) << text.out;
    EXPECT_NE(text.out.find("\n\nintercept       -"), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("\na, b            "), std::string::npos) << text.out;
    EXPECT_EQ(csv.out.rfind("name,coefficient\n(intercept),-", 0), 0u) << csv.out;
    EXPECT_NE(csv.out.find("\n\"a, b\","), std::string::npos) << csv.out;
    EXPECT_EQ(run("info kept").out, text.out);
    EXPECT_EQ(run("info kept --csv").out, csv.out);
    EXPECT_EQ(run("show kept --csv --json").code, 2);
    run("info --csv").refuses(2, {"MODEL"});
    run("show").refuses(2, {"MODEL"});
    run("show rows.csv").refuses(5, {"rows.csv", "not a fitrelu model"});
}

TEST_F(NamedColumns, AreNumbersWhereThereAreNone) {
    std::string text = line_table();
    write("rows.csv", text.substr(text.find('\n') + 1));
    EXPECT_EQ(run("fit --data rows.csv --model kept --quiet").code, 0);
    Said said = run("show kept");
    EXPECT_NE(said.out.find("\n2               "), std::string::npos) << said.out;
    EXPECT_EQ(said.out.find("label"), std::string::npos) << said.out;
}

#ifdef FR_HAVE_JANSSON
TEST_F(NamedColumns, AreMembersOfTheResult) {
    write("rows.csv", line_table());
    Json fit(run("fit --data rows.csv --intercept --model kept --json --quiet"));
    Json show(run("show kept --json"));
    for (const Json *json : {&fit, &show}) {
        EXPECT_EQ(json->text("model.path"), "kept");
        EXPECT_EQ(json->text("model.label"), "y");
        EXPECT_EQ(json->number("model.features"), 2);
        EXPECT_NEAR(json->number("model.intercept"), -1, 1e-3);
        ASSERT_EQ(json_array_size(json->at("model.weights")), 2u);
        EXPECT_NEAR(json_number_value(json_array_get(json->at("model.weights"), 1)), 3, 1e-3);
        EXPECT_STREQ(json_string_value(json_array_get(json->at("model.names"), 0)), "a, b");
    }
    EXPECT_TRUE(Json(run("fit --data rows.csv --json --quiet")).null("model.path"));
    Json planted(run("fit -n 100 -d 5 --json --quiet --model other"));
    EXPECT_EQ(planted.text("model.path"), "other");
    EXPECT_EQ(json_object_size(planted.at("model")), 1u) << "whose weights are of no use to anybody";
}
#endif

} // namespace
