/*
 * exchange_test.cpp - norm, encoding, totals, packing, the second rounding and the update on the stand-in: the same
 * bits as the CPU engine for the same input.
 */
#include <limits>

#include "cuda_rig.h"
#include "kernels/rules/bf16.h"
#include "kernels/rules/fields.h"

namespace {

using namespace rig;

const std::vector<int64_t> sizes = {1, 2, 3, 4, 5, 7, 8, 31, 66, 130, 257, 1000, 1027};
const fr_precision precisions[] = {FR_F32, FR_F64};

class Exchange : public OnCpu {};

std::vector<char> random_codes(size_t count, uint64_t seed) {
    oracle::Random random(seed);
    std::vector<char> codes(count);
    for (char &code : codes) code = static_cast<char>(static_cast<int>(random.uniform() * 41) - 20);
    return codes;
}

/* Engines for workers 2 and 3 of 6, over d columns. */
struct Bench {
    Bench(int64_t d, int levels, fr_scale scale, fr_collective collective, fr_precision precision, int first = 2,
          int count = 2, fr_wire wire = FR_WIRE_FULL)
        : problem(oracle::random_problem(12, d, 1)), set(dataset_of(problem, precision)),
          pair(make(levels, scale, collective, precision, wire), set, first, count) {}
    ~Bench() { fr_dataset_free(set); }
    fr_plan make(int levels, fr_scale scale, fr_collective collective, fr_precision precision, fr_wire wire) {
        fr_plan plan = plan_for(problem, 6, 12, levels, scale, collective, precision);
        plan.average_start = 5, plan.wire = levels ? plan.wire : wire;
        if (levels && wire == FR_WIRE_PACKED) plan.wire = wire;
        return plan;
    }
    void both(fr_status (*call)(fr_engine *)) {
        EXPECT_EQ(call(pair.cpu), FR_OK);
        EXPECT_EQ(call(pair.cuda), FR_OK);
    }
    void fill_both(void *fr_buffers::*buffer, const std::vector<double> &values) {
        fill_reals(pair.cpu, pair.cpu->buffers.*buffer, values);
        fill_reals(pair.cuda, pair.cuda->buffers.*buffer, values);
    }
    void fill_both(int8_t *fr_buffers::*buffer, const std::vector<char> &codes) {
        fill(pair.cpu, pair.cpu->buffers.*buffer, codes.data(), codes.size());
        fill(pair.cuda, pair.cuda->buffers.*buffer, codes.data(), codes.size());
    }
    void fill_both(void *fr_buffers::*buffer, const std::vector<fr_bf16> &values) {
        for (fr_engine *engine : {pair.cpu, pair.cuda})
            fill(engine, engine->buffers.*buffer, values.data(), values.size() * sizeof(fr_bf16));
    }
    /* Levels and scales of three ranks, one behind the other on the CPU and in blocks on the GPU. */
    void fill_gathered(int8_t *fr_buffers::*levels, void *fr_buffers::*scales, const std::vector<size_t> &counts) {
        const oracle::Vector all = {1.5, 0.1, 7, 0, 3.3, 2};
        const std::vector<char> codes = random_codes(counts[0] + counts[1] + counts[2], 22);
        fr_buffers &cpu = pair.cpu->buffers, &cuda = pair.cuda->buffers;
        fill(pair.cpu, cpu.*levels, codes.data(), codes.size());
        fill_reals(pair.cpu, cpu.*scales, all);
        ASSERT_GT(cuda.block, 0u);
        for (size_t r = 0, at = 0; r < 3; at += counts[r++]) {
            fill(pair.cuda, cuda.*levels + r * cuda.block, codes.data() + at, counts[r]);
            fill_reals(pair.cuda, static_cast<char *>(cuda.*scales) + r * cuda.block, {all[2 * r], all[2 * r + 1]});
        }
    }
    template <class T> void same(T *fr_buffers::*buffer, size_t bytes, const char *what) {
        EXPECT_EQ(bytes_of(pair.cpu, pair.cpu->buffers.*buffer, bytes),
                  bytes_of(pair.cuda, pair.cuda->buffers.*buffer, bytes))
            << what << ", d = " << problem.d;
    }
    oracle::Problem problem;
    fr_dataset *set;
    Pair pair;
};

std::vector<fr_bf16> rounded(const oracle::Vector &values) {
    std::vector<fr_bf16> out;
    for (double value : values) out.push_back(fr_bf16_of_f64(value));
    return out;
}

/* The rig itself: however late copies are, a kernel reads what was filled in before it. */
TEST_F(Exchange, WhatIsFilledInIsThereForTheNextKernel) {
    Bench bench(66, 7, FR_SCALE_MAX, FR_COLLECTIVE_ALLGATHER, FR_F32);
    bench.fill_both(&fr_buffers::values, random_vector(132, 1));
    set("DELAY", "memcpy:20000");
    bench.fill_both(&fr_buffers::values, random_vector(132, 2, 50));
    bench.both([](fr_engine *e) { return e->ops->norm(e, nullptr); });
    set("DELAY", nullptr);
    bench.same(&fr_buffers::scales, 2 * sizeof(float), "scales");
}

TEST_F(Exchange, LevelsAreTheCpusEveryOne) {
    for (fr_precision precision : precisions)
        for (int64_t d : sizes)
            for (int s : {1, 7, 127}) {
                Bench bench(d, s, FR_SCALE_MAX, FR_COLLECTIVE_ALLGATHER, precision);
                for (int64_t step : {int64_t(0), int64_t(5), int64_t(1) << 30}) {
                    bench.pair.load(oracle::Vector(static_cast<size_t>(d)), step, 3);
                    bench.fill_both(&fr_buffers::values, random_vector(2 * d, static_cast<uint64_t>(step + d), 100));
                    bench.both([](fr_engine *e) { return e->ops->norm(e, nullptr); });
                    bench.same(&fr_buffers::scales, 2 * fr_precision_bytes(precision), "scales");
                    bench.same(&fr_buffers::shared_scale, fr_precision_bytes(precision), "shared scale");
                    for (bool shared : {false, true}) {
                        EXPECT_EQ(bench.pair.cpu->ops->encode(bench.pair.cpu, shared, nullptr), FR_OK);
                        EXPECT_EQ(bench.pair.cuda->ops->encode(bench.pair.cuda, shared, nullptr), FR_OK);
                        bench.same(&fr_buffers::levels, static_cast<size_t>(2 * d), "levels");
                    }
                }
            }
}

TEST_F(Exchange, NormsNeitherOverflowNorUnderflow) {
    for (fr_precision precision : precisions)
        for (double size : {1e-310, 1e-160, 1e-40, 1e-20, 1.0, 1e18, 1e30, 1e160, 1e305}) {
            if (precision == FR_F32 && (size < 1e-30 || size > 1e31)) continue;
            Bench bench(131, 7, FR_SCALE_L2, FR_COLLECTIVE_ALLGATHER, precision);
            oracle::Vector v = random_vector(262, 3);
            for (double &x : v) x *= size;
            bench.fill_both(&fr_buffers::values, v);
            bench.both([](fr_engine *e) { return e->ops->norm(e, nullptr); });
            oracle::Vector cpu = reals_of(bench.pair.cpu, bench.pair.cpu->buffers.scales, 2);
            oracle::Vector cuda = reals_of(bench.pair.cuda, bench.pair.cuda->buffers.scales, 2);
            double shared = reals_of(bench.pair.cuda, bench.pair.cuda->buffers.shared_scale, 1)[0];
            for (size_t k = 0; k < 2; k++) EXPECT_NEAR(cuda[k] / cpu[k], 1, precision == FR_F32 ? 1e-7 : 1e-15);
            EXPECT_EQ(shared, std::fmax(cuda[0], cuda[1]));
        }
}

/* Those that the gradient leaves under the max scale are the largest sizes of its values, in any order of blocks: of the next
 * gradient too, which is smaller, and of one that is no number. */
TEST_F(Exchange, TheGradientLeavesTheNormsOfItsValues) {
    for (const char *order : {(const char *)nullptr, "reverse", "random:3"})
        for (fr_precision precision : precisions)
            for (int64_t d : {int64_t{1}, int64_t{31}, int64_t{33}, int64_t{130}, int64_t{1000}}) {
                set("ORDER", order);
                Bench bench(d, 7, FR_SCALE_MAX, FR_COLLECTIVE_ALLGATHER, precision);
                for (double size : {50.0, 0.5, std::numeric_limits<double>::quiet_NaN(), 2.0}) {
                    oracle::Vector w = random_vector(d, 3);
                    for (double &x : w) x *= size;
                    bench.pair.load(w);
                    fr_engine *engine = bench.pair.cuda;
                    ASSERT_EQ(engine->ops->gradient(engine, nullptr), FR_OK);
                    ASSERT_EQ(engine->ops->norm(engine, nullptr), FR_OK);
                    const oracle::Vector v = reals_of(engine, engine->buffers.values, static_cast<size_t>(2 * d));
                    const oracle::Vector scales = reals_of(engine, engine->buffers.scales, 2);
                    const double shared = reals_of(engine, engine->buffers.shared_scale, 1)[0];
                    if (std::isnan(size)) {
                        EXPECT_TRUE(std::isnan(scales[0]) && std::isnan(scales[1]) && std::isnan(shared)) << d;
                        continue;
                    }
                    double most[2] = {};
                    for (size_t i = 0; i < v.size(); i++) most[i / size_t(d)] = std::fmax(most[i / size_t(d)], std::fabs(v[i]));
                    EXPECT_EQ(scales[0], most[0]) << d;
                    EXPECT_EQ(scales[1], most[1]) << d;
                    EXPECT_EQ(shared, std::fmax(most[0], most[1])) << d;
                }
                set("ORDER", nullptr);
            }
}

/* A device's only worker is encoded into the fields of its sum at once. */
TEST_F(Exchange, AnOnlyWorkerIsEncodedAsTheSum) {
    for (fr_precision precision : precisions)
        for (int64_t d : sizes)
            for (int s : {1, 20, 127}) {
                Bench bench(d, s, FR_SCALE_MAX, FR_COLLECTIVE_ALLREDUCE, precision, 2, 1, FR_WIRE_PACKED);
                bench.pair.load(oracle::Vector(static_cast<size_t>(d)), 4, 1);
                bench.fill_both(&fr_buffers::values, random_vector(d, 5));
                for (double scale : {4.0, 0.0}) {
                    bench.fill_both(&fr_buffers::shared_scale, oracle::Vector{scale});
                    bench.both([](fr_engine *e) { return e->ops->encode(e, true, nullptr); });
                    bench.both([](fr_engine *e) { return e->ops->total(e, nullptr); });
                    bench.same(&fr_buffers::total_fields,
                               static_cast<size_t>(fr_field_words(d, fr_field_bits(6 * s))) * sizeof(uint32_t), "fields");
                }
            }
}

TEST_F(Exchange, ZeroEncodesToZeroAndNaNIsSeen) {
    for (fr_precision precision : precisions) {
        Bench bench(9, 7, FR_SCALE_L2, FR_COLLECTIVE_ALLGATHER, precision);
        oracle::Vector v(18, 0.0);
        bench.fill_both(&fr_buffers::values, v);
        bench.both([](fr_engine *e) { return e->ops->norm(e, nullptr); });
        bench.both([](fr_engine *e) { return e->ops->encode(e, true, nullptr); });
        EXPECT_EQ(bytes_of(bench.pair.cuda, bench.pair.cuda->buffers.levels, 18), std::vector<char>(18, 0));
        v[3] = std::numeric_limits<double>::quiet_NaN();
        bench.fill_both(&fr_buffers::values, v);
        bench.both([](fr_engine *e) { return e->ops->norm(e, nullptr); });
        EXPECT_TRUE(std::isnan(reals_of(bench.pair.cuda, bench.pair.cuda->buffers.shared_scale, 1)[0]));
        EXPECT_TRUE(std::isnan(reals_of(bench.pair.cuda, bench.pair.cuda->buffers.scales, 2)[0]));
        EXPECT_EQ(reals_of(bench.pair.cuda, bench.pair.cuda->buffers.scales, 2)[1], 0);
    }
}

TEST_F(Exchange, TotalsAreExact) {
    for (fr_precision precision : precisions)
        for (int64_t d : sizes) {
            Bench codes(d, 20, FR_SCALE_MAX, FR_COLLECTIVE_ALLREDUCE, precision);
            codes.fill_both(&fr_buffers::levels, random_codes(static_cast<size_t>(2 * d), 4));
            codes.both([](fr_engine *e) { return e->ops->total(e, nullptr); });
            codes.same(&fr_buffers::total_levels, static_cast<size_t>(d), "total levels");
            Bench values(d, 0, FR_SCALE_MAX, FR_COLLECTIVE_ALLREDUCE, precision);
            values.fill_both(&fr_buffers::values, random_vector(2 * d, 6));
            values.both([](fr_engine *e) { return e->ops->total(e, nullptr); });
            values.same(&fr_buffers::total_values, static_cast<size_t>(d) * fr_precision_bytes(precision),
                        "total values");
        }
}

/* Two of six workers, with sums in fields of 4, 8 and 16 bits. */
TEST_F(Exchange, TotalsAreTheCpusInEveryField) {
    for (int64_t d : sizes)
        for (int s : {1, 20, 127}) {
            Bench bench(d, s, FR_SCALE_MAX, FR_COLLECTIVE_ALLREDUCE, FR_F32, 2, 2, FR_WIRE_PACKED);
            const int bits = fr_field_bits(6 * s);
            std::vector<char> codes = random_codes(static_cast<size_t>(2 * d), 4);
            for (size_t j = 0; j < codes.size(); j++)
                codes[j] = static_cast<char>(j % 5 == 0 ? s : j % 5 == 1 ? -s : codes[j] % (s + 1));
            bench.fill_both(&fr_buffers::levels, codes);
            bench.both([](fr_engine *e) { return e->ops->total(e, nullptr); });
            bench.same(&fr_buffers::total_fields, static_cast<size_t>(fr_field_words(d, bits)) * sizeof(uint32_t), "fields");
            std::vector<uint32_t> words(static_cast<size_t>(fr_field_words(d, bits)));
            std::memcpy(words.data(), bench.pair.cpu->buffers.total_fields, words.size() * sizeof(uint32_t));
            for (int64_t j = 0; j < d; j++)
                EXPECT_EQ(int(fr_field_at(words.data(), bits, j)) - 2 * s, codes[size_t(j)] + codes[size_t(d + j)]);
            for (int64_t j = d; j < fr_field_words(d, bits) * fr_fields_a_word(bits); j++)
                EXPECT_EQ(fr_field_at(words.data(), bits, j), 0u) << "behind the last coordinate";
        }
}

TEST_F(Exchange, TwoPhasePacksAndRoundsAsTheCpu) {
    for (fr_precision precision : precisions)
        for (int64_t d : sizes)
            for (int levels : {0, 127})
                for (fr_scale scale : {FR_SCALE_MAX, FR_SCALE_L2}) {
                    Bench bench(d, levels, scale, FR_COLLECTIVE_TWO_PHASE, precision);
                    size_t real = fr_precision_bytes(precision), wire = levels ? 1 : real;
                    int64_t width = fr_split_start(d, 6, 4) - fr_split_start(d, 6, 2);
                    bench.pair.load(oracle::Vector(static_cast<size_t>(d)), 17, 2);
                    if (levels) bench.fill_both(&fr_buffers::levels, random_codes(static_cast<size_t>(2 * d), 8));
                    else bench.fill_both(&fr_buffers::values, random_vector(2 * d, 8));
                    bench.both([](fr_engine *e) { return e->ops->pack(e, nullptr); });
                    bench.same(&fr_buffers::outgoing, static_cast<size_t>(2 * d) * wire, "outgoing");
                    std::vector<char> codes = random_codes(static_cast<size_t>(6 * width), 9);
                    if (levels) {
                        fill(bench.pair.cpu, bench.pair.cpu->buffers.incoming, codes.data(), codes.size());
                        fill(bench.pair.cuda, bench.pair.cuda->buffers.incoming, codes.data(), codes.size());
                    } else {
                        bench.fill_both(&fr_buffers::incoming, random_vector(6 * width, 10));
                    }
                    bench.both([](fr_engine *e) { return e->ops->requantize(e, nullptr); });
                    if (levels) bench.same(&fr_buffers::own_slice, static_cast<size_t>(width), "slice");
                    if (levels) bench.same(&fr_buffers::own_slice_scales, 2 * real, "slice scales");
                    if (!levels) bench.same(&fr_buffers::own_values, static_cast<size_t>(width) * real, "own values");
                }
}

/* The same input gives the CPU's weights and average, before and after the tail begins, with both schedules. */
void updates_agree(int64_t d, int levels, fr_collective collective, fr_update update, fr_precision precision) {
    const fr_wire wire = update == FR_UPDATE_TOTAL_BF16     ? FR_WIRE_BF16
                         : update == FR_UPDATE_TOTAL_FIELDS ? FR_WIRE_PACKED
                                                            : FR_WIRE_FULL;
    Bench bench(d, levels, FR_SCALE_MAX, collective, precision, 2, 2, wire);
    size_t n = static_cast<size_t>(d);
    const oracle::Vector start = random_vector(d, 21);
    bench.pair.plan.steps = {0.05, 12, 1};
    bench.pair.load(start, 3, 1);
    switch (update) {
    case FR_UPDATE_TOTAL_VALUES: bench.fill_both(&fr_buffers::total_values, random_vector(d, 22)); break;
    case FR_UPDATE_TOTAL_BF16: bench.fill_both(&fr_buffers::total_bf16, rounded(random_vector(d, 22))); break;
    case FR_UPDATE_TOTAL_LEVELS: bench.fill_both(&fr_buffers::total_levels, random_codes(n, 22)); break;
    case FR_UPDATE_TOTAL_FIELDS: {
        oracle::Random random(22);
        std::vector<uint32_t> words((n + 1) / 2);
        for (size_t j = 0; j < n; j++) words[j / 2] |= uint32_t(random.uniform() * 2 * 6 * levels) << (j % 2 * 16);
        for (fr_engine *engine : {bench.pair.cpu, bench.pair.cuda})
            fill(engine, engine->buffers.total_fields, words.data(), words.size() * sizeof words[0]);
        break;
    }
    case FR_UPDATE_ALL_VALUES: bench.fill_both(&fr_buffers::all_values, random_vector(6 * d, 22)); break;
    case FR_UPDATE_ALL_LEVELS:
        bench.fill_gathered(&fr_buffers::all_levels, &fr_buffers::all_scales, {2 * n, 2 * n, 2 * n});
        break;
    case FR_UPDATE_SLICE_LEVELS:
        bench.fill_gathered(&fr_buffers::slice_levels, &fr_buffers::slice_scales,
                            {size_t(fr_split_start(d, 6, 2)), size_t(fr_split_start(d, 6, 4) - fr_split_start(d, 6, 2)),
                             n - size_t(fr_split_start(d, 6, 4))});
        break;
    case FR_UPDATE_MODEL: bench.pair.plan.steps.eta = std::numeric_limits<double>::infinity(); break;
    }
    if (levels) bench.fill_both(&fr_buffers::shared_scale, oracle::Vector{3.7});
    State cpu(d), cuda(d);
    for (int t = 0; t < 6; t++) {
        EXPECT_EQ(bench.pair.cpu->ops->apply(bench.pair.cpu, update, nullptr), FR_OK);
        EXPECT_EQ(bench.pair.cuda->ops->apply(bench.pair.cuda, update, nullptr), FR_OK);
    }
    EXPECT_EQ(bench.pair.cpu->ops->store(bench.pair.cpu, &cpu.state, nullptr), FR_OK);
    EXPECT_EQ(bench.pair.cuda->ops->store(bench.pair.cuda, &cuda.state, nullptr), FR_OK);
    EXPECT_EQ(cpu.weights, cuda.weights) << "update " << update << ", d = " << d;
    EXPECT_EQ(cpu.average, cuda.average) << "update " << update << ", d = " << d;
    if (update == FR_UPDATE_MODEL) EXPECT_EQ(cuda.weights, start) << "d = " << d;
    EXPECT_EQ(cuda.state.step, 9);
    EXPECT_EQ(cuda.state.averaged, cpu.state.averaged);
    EXPECT_EQ(cuda.state.run, 1);
}

TEST_F(Exchange, UpdatesAreTheCpusToTheBit) {
    for (fr_precision precision : precisions)
        for (int64_t d : {1, 5, 129, 1027}) {
            updates_agree(d, 0, FR_COLLECTIVE_ALLREDUCE, FR_UPDATE_TOTAL_VALUES, precision);
            updates_agree(d, 20, FR_COLLECTIVE_ALLREDUCE, FR_UPDATE_TOTAL_LEVELS, precision);
            updates_agree(d, 127, FR_COLLECTIVE_ALLREDUCE, FR_UPDATE_TOTAL_FIELDS, precision);
            updates_agree(d, 0, FR_COLLECTIVE_ALLGATHER, FR_UPDATE_ALL_VALUES, precision);
            updates_agree(d, 127, FR_COLLECTIVE_ALLGATHER, FR_UPDATE_ALL_LEVELS, precision);
            updates_agree(d, 127, FR_COLLECTIVE_TWO_PHASE, FR_UPDATE_SLICE_LEVELS, precision);
            updates_agree(d, 0, FR_COLLECTIVE_ALLREDUCE, FR_UPDATE_TOTAL_BF16, precision);
            updates_agree(d, 0, FR_COLLECTIVE_MASTER, FR_UPDATE_MODEL, precision);
        }
}

/* A grid's second and third dimensions end at 65535; workers do not. Here those end at 1. */
TEST_F(Exchange, NoNumberOfWorkersIsTooLargeForAGrid) {
    set("GRID_YZ", "1");
    for (fr_collective collective : {FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_TWO_PHASE})
        for (int levels : {0, 7}) {
            Bench bench(66, levels, FR_SCALE_L2, collective, FR_F32);
            bench.pair.load(random_vector(66, 3));
            bench.both([](fr_engine *e) { return e->ops->gradient(e, nullptr); });
            if (levels) bench.both([](fr_engine *e) { return e->ops->norm(e, nullptr); });
            if (levels) bench.both([](fr_engine *e) { return e->ops->encode(e, true, nullptr); });
            if (collective != FR_COLLECTIVE_TWO_PHASE) continue;
            bench.both([](fr_engine *e) { return e->ops->pack(e, nullptr); });
            bench.both([](fr_engine *e) { return e->ops->requantize(e, nullptr); });
        }
    set("GRID_YZ", nullptr);
}

TEST_F(Exchange, SeventyThousandWorkersOnOneDevice) {
    const int workers = 70000;
    const size_t cells = 2 * static_cast<size_t>(workers);
    oracle::Problem p = oracle::random_problem(workers, 2, 1);
    fr_dataset *rows = dataset_of(p, FR_F32);
    {
        Pair pair(plan_for(p, workers, workers, 7, FR_SCALE_MAX, FR_COLLECTIVE_ALLGATHER, FR_F32), rows, 0, workers);
        pair.load({0.5, -1});
        fr_error error = {};
        ASSERT_EQ(pair.cpu->ops->gradient(pair.cpu, nullptr), FR_OK);
        ASSERT_EQ(pair.cuda->ops->gradient(pair.cuda, &error), FR_OK) << error.message;
        const oracle::Vector cpu = reals_of(pair.cpu, pair.cpu->buffers.values, cells);
        EXPECT_LE(oracle::relative(reals_of(pair.cuda, pair.cuda->buffers.values, cells), cpu), 1e-6);
    }
    fr_dataset_free(rows);
}

} // namespace
