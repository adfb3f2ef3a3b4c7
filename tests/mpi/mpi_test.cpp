/*
 * mpi_test.cpp - real fits under mpirun: the bits of one process, the bytes of the formula, and every way to end.
 *
 * Each run is bounded by timeout(1), whose code is none that is expected here. Nothing sleeps: a signal goes to a rank
 * as soon as rank 0 has shown the row of step 0, which needs all ranks, and its pid is in a file that the rank's
 * shell wrote before it became fitrelu.
 */
#include <cmath>
#include <fstream>

#include "mpi_rig.h"
extern "C" {
#include "exchange/traffic.h"
}

#ifdef FR_HAVE_JANSSON
#include "../cli/json.h"
#endif

/* ----------------------------------------------------------------------------------------- the methods */

struct Method {
    fr_collective collective;
    int levels, workers;
    fr_wire wire;
    fr_precision precision = FR_F64;
    bool star = false;

    std::string line() const {
        std::string text = std::string("--collective ") + fr_collective_name(collective) + " --wire " +
                           fr_wire_name(wire) + " --precision " + fr_precision_name(precision) + " --workers " +
                           std::to_string(workers);
        if (levels > 0) text += " --levels " + std::to_string(levels);
        return text + (star ? " --broadcast star" : "");
    }

    /* The sum of floating-point gradients goes by ranks, and so depends on them in its last bits. */
    bool exact() const { return levels > 0 || collective != FR_COLLECTIVE_ALLREDUCE; }

    fr_plan plan(int ranks) const {
        fr_planted recipe = {3001, 203, 0, 3};
        fr_options options;
        fr_plan made;
        fr_error error{};
        fr_dataset *set = nullptr;
        fr_options_default(&options);
        options.batch = 240, options.workers = workers, options.levels = levels, options.collective = collective;
        options.wire = wire, options.star = star;
        EXPECT_EQ(fr_dataset_generate(&recipe, precision, &set, &error), FR_OK) << error.message;
        EXPECT_EQ(fr_plan_make(&options, set, &made, &error), FR_OK) << error.message;
        made.dedicated_master = collective == FR_COLLECTIVE_MASTER && ranks > 1;
        fr_dataset_free(set);
        return made;
    }
};
static void PrintTo(const Method &method, std::ostream *out) { *out << method.line(); }

class Methods : public Mpi, public ::testing::WithParamInterface<Method> {
  protected:
    std::string line() const { return PLANTED + "--iterations 12 " + GetParam().line(); }

#ifdef FR_HAVE_JANSSON
    /* Counted bytes a step, of every rank, both ways, are the formula's; Elias' at most. */
    static void check_traffic(const Json &json, int ranks) {
        fr_plan plan = GetParam().plan(ranks);
        for (int r = 0; r < ranks; r++) {
            fr_traffic expected = fr_traffic_of(&plan, ranks, r);
            for (bool sent : {true, false}) {
                json_t *all = json.at(sent ? "traffic.sent" : "traffic.received");
                ASSERT_EQ(json_array_size(all), (size_t)ranks);
            std::string how = json.text("traffic.bytes");
            EXPECT_TRUE(how == "counted" || how == "modelled") << how;
                double counted = json_number_value(json_array_get(all, (size_t)r));
                double formula = sent ? expected.sent : expected.received;
                if (plan.wire != FR_WIRE_ELIAS) EXPECT_EQ(counted, formula) << "rank " << r << " of " << ranks;
                EXPECT_LE(counted, formula) << "rank " << r << " of " << ranks;
                EXPECT_EQ(counted > 0, formula > 0) << "rank " << r << " of " << ranks;
            }
        }
    }

    /* The bits of a coordinate times the coordinates that a rank sends are its bytes, where it sends nothing else. */
    static void check_bits(const Json &json, int ranks) {
        fr_plan plan = GetParam().plan(ranks);
        double bits = json.number("bits_per_coordinate");
        if (plan.collective == FR_COLLECTIVE_ALLREDUCE || plan.collective == FR_COLLECTIVE_TWO_PHASE) {
            double most = plan.levels == 0 ? 8.0 * (double)fr_precision_bytes(plan.precision) : 10;
            if (fr_summed_field_bits(&plan) == 16) most = 16.1;
            EXPECT_GE(bits, plan.levels == 0 ? most : fr_wire_name(plan.wire) == std::string("packed") ? 4 : 8);
            EXPECT_LE(bits, most);
            return;
        }
        int rank = ranks - 1, senders = plan.dedicated_master ? ranks - 1 : ranks;
        double sent = json_number_value(json_array_get(json.at("traffic.sent"), (size_t)rank));
        double coordinates = (plan.dedicated_master ? 1 : ranks - 1) * plan.workers / senders * (double)plan.features;
        if (plan.wire != FR_WIRE_ELIAS) EXPECT_NEAR(bits, 8 * sent / coordinates, 1e-12);
        else EXPECT_LT(bits, 4); /* what the code is for: at 7 levels of l2 most of a vector is 0 */
    }
#endif
};

TEST_P(Methods, GiveTheBitsOfOneProcessAndSendWhatTheFormulaSays) {
    ASSERT_EQ(run("fit " + line() + " --model one").code, 0);
    for (int count : {2, 3, 4, 6, 10, 15, 24}) { /* ten: short messages go by way of other ranks (ranks/routes.h) */
        int parts = GetParam().collective == FR_COLLECTIVE_MASTER ? count - 1 : count;
        if (GetParam().workers % parts != 0) continue;
        Said said = ranks(count, line() + " --model many --json");
        EXPECT_EQ(said.code, 0) << said.err;
        if (GetParam().exact()) EXPECT_EQ(read("many"), read("one")) << count << " ranks";
#ifdef FR_HAVE_JANSSON
        Json json(said);
        EXPECT_EQ(json.number("place.ranks"), count);
        check_traffic(json, count);
        check_bits(json, count);
#endif
    }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Methods,
    ::testing::Values(
        Method{FR_COLLECTIVE_ALLREDUCE, 6, 20, FR_WIRE_INT8}, Method{FR_COLLECTIVE_TWO_PHASE, 7, 10, FR_WIRE_PACKED},
        Method{FR_COLLECTIVE_TWO_PHASE, 100, 10, FR_WIRE_INT8}, Method{FR_COLLECTIVE_TWO_PHASE, 7, 20, FR_WIRE_PACKED},
        Method{FR_COLLECTIVE_TWO_PHASE, 15, 15, FR_WIRE_INT8, FR_F32}, /* the last group is one rank */
        Method{FR_COLLECTIVE_TWO_PHASE, 15, 24, FR_WIRE_PACKED, FR_F32}, /* groups of three */
        Method{FR_COLLECTIVE_ALLGATHER, 31, 10, FR_WIRE_PACKED},
        Method{FR_COLLECTIVE_ALLREDUCE, 1, 6, FR_WIRE_PACKED}, Method{FR_COLLECTIVE_ALLREDUCE, 10, 12, FR_WIRE_PACKED},
        Method{FR_COLLECTIVE_ALLREDUCE, 127, 24, FR_WIRE_PACKED, FR_F32},
        Method{FR_COLLECTIVE_ALLREDUCE, 10, 12, FR_WIRE_INT8}, Method{FR_COLLECTIVE_ALLREDUCE, 0, 12, FR_WIRE_FULL},
        Method{FR_COLLECTIVE_ALLGATHER, 7, 12, FR_WIRE_PACKED},
        Method{FR_COLLECTIVE_ALLGATHER, 100, 12, FR_WIRE_INT8, FR_F32},
        Method{FR_COLLECTIVE_ALLGATHER, 7, 12, FR_WIRE_ELIAS}, Method{FR_COLLECTIVE_TWO_PHASE, 7, 12, FR_WIRE_PACKED},
        Method{FR_COLLECTIVE_TWO_PHASE, 100, 12, FR_WIRE_INT8, FR_F32},
        Method{FR_COLLECTIVE_TWO_PHASE, 0, 12, FR_WIRE_FULL, FR_F32},
        Method{FR_COLLECTIVE_MASTER, 0, 12, FR_WIRE_FULL},
        Method{FR_COLLECTIVE_MASTER, 100, 12, FR_WIRE_INT8, FR_F64, true},
        Method{FR_COLLECTIVE_MASTER, 7, 12, FR_WIRE_PACKED},
        Method{FR_COLLECTIVE_MASTER, 7, 12, FR_WIRE_ELIAS, FR_F64, true},
        /* K = 2R with 2 ranks, K = R with 4; of master, two workers a rank with 3 */
        Method{FR_COLLECTIVE_TWO_PHASE, 7, 4, FR_WIRE_PACKED}, Method{FR_COLLECTIVE_MASTER, 7, 4, FR_WIRE_PACKED}));

TEST_F(Mpi, OneRankIsOneProcess) {
    ASSERT_EQ(run("fit " + PLANTED + "--iterations 12 --workers 12 --levels 7 --model one").code, 0);
    equals_one(1, PLANTED + "--iterations 12 --workers 12 --levels 7");
}

/* ------------------------------------------------------------------------------------------- the data */

TEST_F(Mpi, ColumnsOfATableAreConditionedOverRanksAsInOneProcess) {
    csv("data.csv");
    std::string line = "--data data.csv --intercept --batch 48 --workers 12 --levels 7 --iterations 50 --quiet";
    ASSERT_EQ(run("fit " + line + " --model one").code, 0);
    for (int count = 2; count <= 4; count++) equals_one(count, line);
}

/* All leave out the same rows, whichever rank would have kept them, and rank 0 alone says so. */
TEST_F(Mpi, RowsWithMissingValuesAreLeftOutAsInOneProcess) {
    csv("data.csv", "1,2,NA,4,5,6");
    for (const char *rule : {"drop", "mean"}) {
        std::string line = std::string("--data data.csv --missing ") + rule + " --batch 48 --workers 12 --levels 7 --iterations 50";
        ASSERT_EQ(run("fit --quiet --model one " + line).code, 0);
        for (int count = 2; count <= 3; count++) equals_one(count, line + " --quiet");
        Said told = ranks(3, line);
        std::string remark = std::string(rule) == "drop" ? "1 row left out" : "1 missing value replaced";
        EXPECT_NE(told.err.find(remark), std::string::npos) << told.err;
        EXPECT_EQ(told.err.find(remark), told.err.rfind(remark)) << told.err;
    }
}

/* Weights have their mean over the rows of all ranks; those of the first rank's rows are all 0. */
TEST_F(Mpi, WeightsOfRowsCountAsInOneProcess) {
    std::string weights;
    csv("data.csv");
    for (int i = 0; i < 211; i++) weights += std::to_string(i < 80 ? 0 : (i * i % 7) / 4.0) + "\n";
    write("u.txt", weights);
    for (std::string batch : {"48", "full"}) {
        std::string line = "--data data.csv --weights u.txt --intercept --batch " + batch +
                           " --workers 12 --levels 7 --iterations 50 --quiet";
        ASSERT_EQ(run("fit " + line + " --model one").code, 0);
        for (int count = 2; count <= 4; count++) equals_one(count, line);
    }
    std::string line = "--data data.csv --weights u.txt --batch 24 --workers 6 --levels 7 --iterations 20 --quiet --collective master";
    ASSERT_EQ(run("fit " + line + " --model one").code, 0);
    equals_one(4, line); /* rank 0 holds no rows */
    std::string none;
    for (int i = 0; i < 211; i++) none += "0\n";
    write("none.txt", none);
    refused(ranks(3, "--data data.csv --weights none.txt --quiet"), 5, {"weights of all 211 rows are 0"});
    refused(ranks(2, "--data data.csv --weights u.txt --batch 48 --quiet", {}, 1, "--weights none.txt"), 5,
            {"rank 1 differs from rank 0"});
}

TEST_F(Mpi, StandardInputIsNotShared) { refused(ranks(2, "--data -"), 2, {"--data -", "2 ranks", "standard input"}); }

#ifdef FR_HAVE_LIBZIP
TEST_F(Mpi, AnArchiveIsReadByPartsAsInOneProcess) {
    ASSERT_EQ(run("generate --samples 1001 --features 50 --noise 0.1 --output data.npz").code, 0);
    std::string line = "--data data.npz --standardize --batch 48 --workers 6 --levels 7 --iterations 50 --quiet";
    ASSERT_EQ(run("fit " + line + " --model one").code, 0);
    for (int count = 2; count <= 3; count++) equals_one(count, line);
}
#endif

#ifdef FR_HAVE_LIBZIP
/* Several tiles of columns, so that BLAS and threads have work, in both precisions. */
TEST_F(Mpi, CombinedColumnsDoNotDependOnRanksOrThreads) {
    ASSERT_EQ(run("generate --samples 2003 --features 150 --noise 0.1 --output data.npz").code, 0);
    for (std::string precision : {"f64", "f32"}) {
        std::string line = "--data data.npz --batch 48 --workers 6 --levels 7 --iterations 20 --quiet --precision " + precision;
        ASSERT_EQ(run("fit " + line + " --threads 1 --model one").code, 0);
        for (int threads : {1, 2})
            for (int count : {1, 2, 3}) equals_one(count, line + " --threads " + std::to_string(threads));
    }
}
#endif

TEST_F(Mpi, ACheckpointGoesOnWithAnotherNumberOfRanks) {
    std::string line = PLANTED + "--iterations 30 --workers 12 --levels 7 --collective two-phase ";
    ASSERT_EQ(run("fit " + line + "--model one").code, 0);
    EXPECT_EQ(ranks(2, line + "--tolerance 0.05 --checkpoint state").code, 0);
    ASSERT_NE(read("state"), "");
    equals_one(3, line + "--resume state");
    run("fit " + line + "--resume state --model alone");
    EXPECT_EQ(read("alone"), read("one"));
}

TEST_F(Mpi, ASearchThatIsStoppedGoesOnWithAnotherNumberOfRanks) {
    ASSERT_EQ(run("generate --samples 6000 --features 40 --noise 20 --output data.npz").code, 0);
    std::string line = "--data data.npz --workers 6 --levels 15 ";
    ASSERT_EQ(run("fit " + line + "--quiet --model one").code, 0);
    int code = struck(2, line + "--checkpoint state", 1, SIGTERM).code;
    EXPECT_TRUE(code == 128 + SIGTERM || code == 0) << code; /* 0: the signal came late */
    ASSERT_NE(read("state"), "");
    equals_one(3, line + "--quiet --resume state");
    run("fit " + line + "--quiet --resume state --model alone");
    EXPECT_EQ(read("alone"), read("one"));
}

/* As a batch system ends a job and puts it in the queue again: the same command each time, on fewer ranks each time. */
TEST_F(Mpi, AJobThatIsStoppedAndQueuedAgainWithFewerRanksFindsTheSameBits) {
    std::string line = "--samples 3001 --features 203 --batch 240 --seed 3 --iterations 4000 --schedule constant "
                       "--workers 12 --levels 7 --collective two-phase ";
    ASSERT_EQ(run("fit " + line + "--quiet --model one").code, 0);
    line += "--checkpoint state --checkpoint-every 0.1s --resume auto ";
    for (std::string whom : {"1", "mpirun"}) {
        int code = struck(whom == "1" ? 6 : 4, line, whom, SIGUSR1).code;
        EXPECT_TRUE(code == 75 || code == 0) << code << " of " << whom; /* 0: the signal came late */
        ASSERT_NE(read("state"), "");
    }
    int code = struck(3, line, 2, SIGKILL).code;
    EXPECT_TRUE(code == 128 + SIGKILL || code == 0) << code;
    equals_one(2, line + "--quiet");
    refused(ranks(2, line + "--quiet --seed 4"), 6, {"state", "another run"});
}

/* ------------------------------------------------------------------------------------- how a run ends */

TEST_F(Mpi, ARankWithOtherOptionsIsNamed) {
    refused(ranks(3, PLANTED, {}, 2, "--batch 480"), 2,
            {"rank 2 differs from rank 0: it has --batch=480, rank 0 has --batch=240"});
    refused(ranks(2, PLANTED, {}, 1, "--samples 3002"), 2, {"rank 1", "--samples=3002", "--samples=3001"});
}

TEST_F(Mpi, ARankWithOtherDataIsNamed) {
    csv("data.csv");
    csv("other.csv", "1,2,3,4,5,6");
    std::string line = "--data data.csv --batch 48 --quiet";
    refused(ranks(2, line, {}, 1, "--data other.csv"), 5, {"rank 1 differs from rank 0", " data="});
    refused(ranks(3, line, {}, 1, "--data missing.csv"), 1, {"rank 1", "missing.csv"});
    refused(ranks(2, line, {}, 1, "--label-column x5"), 2, {"rank 1", "--label-column=x5", "--label-column=default"});
}

/* Two files of 2 MB that differ in one digit in the middle; and two files of labels. */
TEST_F(Mpi, ARankWithOtherDataInTheMiddleIsNamed) {
    std::string text, labels;
    for (int i = 0; i < 100000; i++) text += std::to_string(100000 + i) + ",2.0,3.5,4\n", labels += "1\n";
    write("data.csv", text);
    text[text.size() / 2] = text[text.size() / 2] == '1' ? '2' : '1';
    write("other.csv", text);
    write("labels.txt", labels);
    labels[labels.size() / 2 / 2 * 2] = '2';
    write("others.txt", labels);
    std::string line = "--batch 48 --iterations 5 --quiet --data data.csv ";
    EXPECT_EQ(ranks(2, line).code, 0);
    refused(ranks(2, line, {}, 1, "--data other.csv"), 5, {"rank 1 differs from rank 0", " data="});
    EXPECT_EQ(ranks(2, line + "--labels labels.txt").code, 0);
    refused(ranks(2, line + "--labels labels.txt", {}, 1, "--labels others.txt"), 5,
            {"rank 1 differs from rank 0", " data="});
}

/* Above 256 MB a rank looks at its own rows and at the next rank's. Rank 1 of 3 with another file is found by the
 * change in its own rows, and by that in those of rank 2, which it only compares. */
TEST_F(Mpi, ARankWithOtherDataInTheMiddleOfALargeFileIsNamed) {
    const int64_t n = 16500, d = 2000, header = 128; /* 264 MB of zeros, which take no room on the disk */
    auto sparse = [&](const std::string &name, int64_t changed) {
        std::string head = "\x93NUMPY\x01" + std::string(1, '\0') + std::string(1, '\x76') + std::string(1, '\0') +
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (" + std::to_string(n) + ", " +
                           std::to_string(d) + "), }";
        head.resize(header - 1, ' ');
        write(name, head + "\n");
        ASSERT_EQ(truncate(at(name).c_str(), header + n * d * 8), 0);
        std::fstream file(at(name), std::ios::in | std::ios::out | std::ios::binary);
        const double one = 1;
        for (int64_t row : {int64_t{0}, n / 2, changed}) {
            file.seekp(header + row * d * 8);
            file.write(reinterpret_cast<const char *>(&one), sizeof one);
        }
    };
    std::string labels;
    for (int64_t i = 0; i < n; i++) labels += "1\n";
    write("y.txt", labels);
    sparse("data.npy", 0);
    sparse("own.npy", n / 2 + 100);
    sparse("next.npy", n - 2000);
    std::string line = "--data data.npy --labels y.txt --precision f32 --step-size 0.1 --init zero --batch full "
                       "--iterations 1 --quiet ";
    EXPECT_EQ(ranks(3, line).code, 0);
    refused(ranks(3, line, {}, 1, "--data own.npy"), 5, {"rank 1 differs from rank 0", "rows 5501 to 11000"});
    refused(ranks(3, line, {}, 1, "--data next.npy"), 5, {"rank 2 differs from rank 1", "rows 11001 to 16500"});
}

TEST_F(Mpi, ACheckpointOfOtherDataIsRefusedByAllRanks) {
    csv("data.csv");
    csv("other.csv", "1,2,3,4,5,6");
    std::string line = "--batch 48 --iterations 20 --workers 4 --quiet ";
    ASSERT_EQ(run("fit " + line + "--data data.csv --checkpoint state").code, 0);
    EXPECT_EQ(ranks(2, line + "--data data.csv --resume state").code, 0);
    refused(ranks(2, line + "--data other.csv --resume state"), 6, {"state", "another run", " data="});
}

TEST_F(Mpi, ABadRowIsNamedByItsLineWhicheverRankReadsIt) {
    csv("data.csv", "1,2,three,4,5,6");
    refused(ranks(3, "--data data.csv --quiet"), 5, {"rank 2", "data.csv:211:", "three"});
}

TEST_F(Mpi, WhatAllRanksRefuseIsToldOnce) {
    refused(ranks(3, "--nope"), 2, {"--nope"});
    refused(ranks(3, PLANTED + "--workers 4"), 2, {"4", "3", "rank"});
}

/* Told while all ranks are there, and by the one line of every failure. */
TEST_F(Mpi, AResultThatIsLostIsToldOnce) {
    if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
    refused(ranks(2, PLANTED + "--iterations 3", {}, 0, "--quiet; [ $r != 0 ] || exec > /dev/full"), 1,
            {"standard output: cannot write"});
}

#ifdef FR_HAVE_JANSSON
TEST_F(Mpi, AFailureIsOneObjectThatNamesItsRank) {
    const struct {
        int rank, code;
        std::string extra;
    } failures[] = {{1, 2, "--nope"}, {2, 2, "--batch 480"}, {2, 1, "--data missing.csv"}};
    csv("data.csv");
    for (const auto &one : failures) {
        Json json(ranks(3, "--json --quiet --batch 240 --data data.csv", {}, one.rank, one.extra));
        EXPECT_EQ(json.text("status"), "error");
        EXPECT_EQ(json.number("error.code"), one.code);
        EXPECT_EQ(json.number("error.rank"), one.rank) << json.text("error.message");
    }
}
#endif

TEST_F(Mpi, DivergedAndNotReachedHaveTheirCodes) {
    EXPECT_EQ(ranks(2, PLANTED + "--iterations 50 --step-size 100 --model none").code, 4);
    EXPECT_EQ(read("none"), "");
    Said said = ranks(2, PLANTED + "--iterations 3 --tolerance 1e-12");
    EXPECT_EQ(said.code, 3);
    EXPECT_EQ(said.out.find("status"), said.out.rfind("status")) << said.out;
}

TEST_F(Mpi, AKilledRankEndsTheRun) {
    for (int rank : {0, 1}) EXPECT_EQ(struck(3, ENDLESS, rank, SIGKILL).code, 128 + SIGKILL) << "rank " << rank;
}

TEST_F(Mpi, AStoppedRankEndsTheRunAfterTheTimeout) {
    for (int rank : {0, 2})
        refused(struck(3, ENDLESS + "--timeout 5", rank, SIGSTOP), 8, {"no answer from", "for 5 seconds"});
}

TEST_F(Mpi, AnInterruptedRankStopsAllAndTheResultIsKept) {
    Said said = struck(3, ENDLESS + "--model kept", 1, SIGTERM);
    EXPECT_EQ(said.code, 128 + SIGTERM) << said.err;
    EXPECT_TRUE(std::regex_search(said.out, std::regex("status +interrupted"))) << said.out << said.err;
    EXPECT_EQ(said.out.find("status"), said.out.rfind("status")) << said.out;
    EXPECT_NE(read("kept"), "");
}

/* ----------------------------------------------------------------------------------------------- planning */

#ifdef FR_HAVE_JANSSON
TEST_F(Mpi, APlanMeasuresTheRanksThatItHas) {
    std::string line = "--measure --features 1K --samples 100K --json";
    Said said = ranks(3, line, {}, -1, "", "plan");
    ASSERT_EQ(said.code, 0) << said.err;
    Json plan(said); /* one object: rank 0 alone speaks */
    EXPECT_EQ(plan.number("job.nodes"), 3);
    EXPECT_GT(plan.number("network.bandwidth"), 1e5);
    EXPECT_GT(plan.number("network.latency"), 0);
    EXPECT_LT(plan.number("network.latency"), 1);
}
#endif

/* The same rows are held out, and the intercept that is tried beside the fit is tried by all ranks. */
TEST_F(Mpi, RowsHeldOutAreThoseOfOneProcess) {
    std::string text = "u,v,y\n";
    for (int i = 0; i < 150; i++) {
        int u = i * 7 % 23 - 11, v = i * 5 % 19 - 9;
        text += std::to_string(u) + "," + std::to_string(v) + "," + std::to_string(std::max(0, u + 2 * v + 30)) + "\n";
    }
    write("rows.csv", text);
    auto line = [](const Said &said) {
        size_t at = said.out.find("\nheld out");
        return at == std::string::npos ? "" : said.out.substr(at, said.out.find('\n', at + 1) - at);
    };
    Said one = run("fit --data rows.csv --workers 4 --holdout 0.3");
    EXPECT_EQ(one.code, 0) << one.err;
    EXPECT_NE(one.err.find("with --intercept"), std::string::npos) << one.err;
    for (int count : {2, 4}) {
        Said many = ranks(count, "--data rows.csv --workers 4 --holdout 0.3");
        EXPECT_EQ(many.code, 0) << many.err;
        EXPECT_EQ(line(many), line(one));
        EXPECT_NE(line(one), "");
        EXPECT_NE(many.err.find("with --intercept"), std::string::npos) << many.err;
    }
}

TEST_F(Mpi, PredictionsArePrintedOnce) {
    csv("rows.csv");
    EXPECT_EQ(run("fit --data rows.csv --model kept --quiet").code, 0);
    Said one = run("predict kept rows.csv"), many = ranks(3, "kept rows.csv", {}, -1, "", "predict");
    EXPECT_EQ(many.code, 0) << many.err;
    EXPECT_EQ(many.out, one.out);
    EXPECT_EQ(many.err, one.err);
}

TEST_F(Mpi, AnOptionThatIsNoneOfPlanIsToldOnce) {
    refused(ranks(2, "--measure --features 1K", {}, 1, "--nope", "plan"), 2, {"--nope"});
}
