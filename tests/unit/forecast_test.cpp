/* Forecasts: each formula by hand-worked values, and the steps against fits that were run. */
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fitrelu.h"
#include "oracle.h"
extern "C" {
#include "forecast/forecast.h"
#include "exchange/traffic.h"
#include "wire/wire.h"
}

/* K nodes of `each` workers on n x d rows. */
static fr_job job_of(int64_t n, int64_t d, int64_t m, int nodes, int each = 1) {
    fr_job job = {};
    job.samples = n, job.features = d, job.batch = m, job.nodes = nodes, job.workers_a_node = each;
    job.tolerance = 1e-6;
    return job;
}

static const fr_scheme FULL_SUM = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_FULL, 0, FR_SCALE_L2};

static fr_forecast forecast(const fr_job &job, const fr_scheme &scheme) {
    fr_machine machine = fr_machine_of(2e9);
    fr_network between = {50e-6, 125e6, 0}, inside = {5e-6, 1e9, 0};
    fr_forecast f;
    fr_forecast_make(&job, &scheme, &machine, &between, &inside, &f);
    return f;
}

/* ------------------------------------------------------------------------------------------- steps */

TEST(Forecast, RateOfOneStepByHand) {
    /* eta 0.25, K = 4, (2 d + 3) / m = 2.5, q = 0.5: 1 - 0.5 + 0.0625 (1 + 0.125 + 1.5 * 2.5) */
    fr_noise noise = {0.25, 4, 2.5, 1, 0.5, 0};
    EXPECT_DOUBLE_EQ(fr_noise_rate(&noise), 0.5 + 0.0625 * 4.875);
    noise.second_variance = 0.2;
    EXPECT_DOUBLE_EQ(fr_noise_rate(&noise), 0.5 + 0.0625 * 1.2 * 4.875);
    noise.drawn = 0; /* full batches: only rounding is noise: 1 + 0.125 + 0.5 * 2.5 */
    EXPECT_DOUBLE_EQ(fr_noise_rate(&noise), 0.5 + 0.0625 * 1.2 * 2.375);
}

TEST(Forecast, RateWithoutQuantizationIsTheLocalRate) {
    fr_noise noise = {0.2, 4, 2003.0 / 800, 1, 0, 0};
    EXPECT_DOUBLE_EQ(fr_noise_rate(&noise), fr_local_rate(1000, 800, 0.2));
}

TEST(Forecast, StepsForManyRowsFollowTheRate) {
    /* n = 10^8 d: start 2e-8 squared; to 1e-10, 1e-20 squared: log(5e-13) / log(rate), the last step rounded up */
    for (double q : {0.0, 0.5, 3.0}) {
        fr_noise noise = {0.1, 8, 2.5, 1, q, 0.1};
        double expected = std::log(1e-20 / 2e-8) / std::log(fr_noise_rate(&noise));
        EXPECT_NEAR(fr_noise_steps(&noise, 1e-8, 1e-10), std::ceil(expected), 1) << q;
    }
}

/* Without any noise the error is the mean of (1 - eta lambda)^2t (1 - lambda)^2 over Marchenko and Pastur's law, here by
 * a plain sum over lambda itself. */
TEST(Forecast, StepsOfFullBatchesAreTheLawsMean) {
    const double r = 0.2, eta = 0.46, low = std::pow(1 - std::sqrt(r), 2), high = std::pow(1 + std::sqrt(r), 2);
    auto error = [&](int t) {
        double sum = 0;
        const int parts = 200000;
        for (int i = 0; i < parts; i++) {
            double lambda = low + (i + 0.5) * (high - low) / parts;
            double density = std::sqrt((high - lambda) * (lambda - low)) / (2 * M_PI * r * lambda);
            sum += density * std::pow(1 - eta * lambda, 2 * t) * (1 - lambda) * (1 - lambda) * (high - low) / parts;
        }
        return std::sqrt(sum);
    };
    EXPECT_NEAR(error(0), std::sqrt(r), 1e-6);
    fr_noise noise = {eta, 4, 0, 0, 0, 0};
    for (double tolerance : {1e-2, 1e-6}) {
        int steps = static_cast<int>(fr_noise_steps(&noise, r / 2, tolerance));
        EXPECT_LE(error(steps), tolerance * 1.001);
        EXPECT_GT(error(steps - 1), tolerance * 0.999);
    }
}

TEST(Forecast, StepsAtTheEdges) {
    fr_noise noise = {0.2, 4, 2.5, 1, 0, 0};
    EXPECT_EQ(fr_noise_steps(&noise, 0.005, 0.2), 0) << "the start, 0.1, is good enough";
    EXPECT_EQ(fr_noise_steps(&noise, 0.005, 0.099), 1);
    EXPECT_EQ(fr_noise_steps(&noise, 0.5, 1e-6), INFINITY) << "n = 2 d";
    noise.step_size = 5;
    EXPECT_EQ(fr_noise_steps(&noise, 0.005, 1e-6), INFINITY) << "diverges";
    noise.step_size = 1e-7; /* a rate of 1 - 2e-7: many doublings */
    EXPECT_NEAR(fr_noise_steps(&noise, 1e-9, 1e-6) / (std::log(2e-9 / 1e-12) / 2e-7), 1, 0.01);
}

TEST(Forecast, StepSizeAndTheoremByHand) {
    fr_forecast f = forecast(job_of(10000, 1000, 800, 8), FULL_SUM);
    double lambda = std::pow(1 + std::sqrt(0.1), 2);
    EXPECT_NEAR(f.step_size, 1 / (lambda + 2.5), 1e-12);
    EXPECT_DOUBLE_EQ(f.theorem_rate, 1 - 9 / (16 * 12.8125));
    /* squared: 1e-12 of a start of 0.2: (log(2 / 5e-12) + log 2) / (9 / 205) */
    EXPECT_EQ(f.theorem_steps, std::ceil((std::log(2 / 5e-12) + std::log(2.0)) * 205 / 9));
}

/* The steps that a fit takes to 1e-4, counted by running it. */
static double run_steps(const fr_job &job, const fr_scheme &scheme, uint64_t seed) {
    struct Seen {
        double tolerance, at;
    } seen = {job.tolerance, INFINITY};
    fr_planted planted = {job.samples, job.features, 0, seed};
    fr_options options;
    fr_options_default(&options);
    options.batch = job.full ? FR_BATCH_FULL : job.batch;
    options.workers = job.nodes, options.levels = scheme.levels, options.scale = scheme.scale;
    options.collective = scheme.collective, options.iterations = 3000, options.report_every = 1;
    options.seed = seed, options.tolerance = job.tolerance, options.threads = 1, options.report_user = &seen;
    options.report = [](const fr_report *report, void *user) {
        Seen *s = static_cast<Seen *>(user);
        if (report->relative_error <= s->tolerance) s->at = std::fmin(s->at, static_cast<double>(report->iteration));
        return 0;
    };
    fr_dataset *data = nullptr;
    fr_solver *solver = nullptr;
    fr_result result;
    fr_error error;
    EXPECT_EQ(fr_dataset_generate(&planted, FR_F64, &data, &error), FR_OK);
    EXPECT_EQ(fr_solver_create(&options, data, &solver, &error), FR_OK) << error.message;
    EXPECT_EQ(fr_solver_run(solver, &result, &error), FR_OK);
    fr_solver_free(solver);
    fr_dataset_free(data);
    return seen.at;
}

TEST(Forecast, StepsAgreeWithFitsThatWereRun) {
    const struct {
        int64_t n, m;
        bool full;
        int workers;
        fr_scheme scheme;
    } cases[] = {
        {4000, 80, false, 4, FULL_SUM},
        {800, 80, false, 4, FULL_SUM},
        {800, 800, true, 4, FULL_SUM},
        {4000, 80, false, 4, {FR_COLLECTIVE_ALLGATHER, FR_WIRE_PACKED, 3, FR_SCALE_L2}},
        {4000, 80, false, 4, {FR_COLLECTIVE_ALLGATHER, FR_WIRE_PACKED, 3, FR_SCALE_MAX}},
        {4000, 80, false, 4, {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_INT8, 7, FR_SCALE_MAX}},
        {4000, 80, false, 8, {FR_COLLECTIVE_TWO_PHASE, FR_WIRE_PACKED, 3, FR_SCALE_MAX}},
        {800, 80, false, 8, {FR_COLLECTIVE_MASTER, FR_WIRE_PACKED, 1, FR_SCALE_L2}},
    };
    for (const auto &c : cases) {
        fr_job job = job_of(c.n, 80, c.m, c.workers);
        job.full = c.full, job.tolerance = 1e-4;
        double predicted = forecast(job, c.scheme).steps, mean = 0;
        for (uint64_t seed : {1, 2, 3, 4}) mean += run_steps(job, c.scheme, seed) / 4;
        EXPECT_NEAR(mean / predicted, 1, 0.2) << fr_collective_name(c.scheme.collective) << " " << c.scheme.levels
                                              << " n " << c.n << ": " << mean << " against " << predicted;
    }
}

/* ------------------------------------------------------------------------------------------ levels */

TEST(Forecast, UnitsByHand) {
    EXPECT_DOUBLE_EQ(fr_gaussian_unit(FR_SCALE_L2, 400, 99), 20);
    EXPECT_NEAR(fr_gaussian_unit(FR_SCALE_MAX, 400, 1), 0.67448975, 1e-7); /* the median of |z| */
    EXPECT_NEAR(fr_gaussian_unit(FR_SCALE_MAX, 400, 1000), 3.3924, 1e-3);  /* 1 - erf(x / sqrt 2) = log(2) / 1000 */
}

TEST(Forecast, VarianceOfCoarseAndFineLevels) {
    /* u = |z| / 100 never reaches 1: E u (1 - u) / E u^2 = 100 sqrt(2 / pi) - 1 */
    EXPECT_NEAR(fr_gaussian_levels(1, 100).variance, 100 * std::sqrt(2 / M_PI) - 1, 1e-3);
    /* u = 25 |z|: the fractional part is uniform, E f (1 - f) = 1/6 */
    EXPECT_NEAR(fr_gaussian_levels(127, 127.0 / 25).variance, 1 / (6.0 * 625), 1e-6);
}

TEST(Forecast, VarianceAndEliasBitsAgreeWithTheQuantizer) {
    const int64_t d = 4000;
    oracle::Random random(5);
    std::vector<double> v(d);
    std::vector<int8_t> levels(d);
    std::vector<uint8_t> out(fr_wire_most(FR_WIRE_ELIAS, d, 127));
    for (int s : {1, 7, 31, 127})
        for (fr_scale scale : {FR_SCALE_L2, FR_SCALE_MAX}) {
            double bits = 0, variance = 0, norm = 0;
            for (uint64_t t = 0; t < 20; t++) {
                for (double &x : v) x = random.normal();
                double N = fr_quantize(v.data(), d, s, scale, 3, t, 0, levels.data());
                bits += 8.0 * static_cast<double>(fr_wire_encode(FR_WIRE_ELIAS, levels.data(), d, s, out.data())) /
                        d / 20;
                for (size_t i = 0; i < v.size(); i++) {
                    double off = N * levels[i] / s - v[i];
                    variance += off * off, norm += v[i] * v[i];
                }
            }
            fr_level_statistics said =
                fr_gaussian_levels(s, fr_gaussian_unit(scale, static_cast<double>(d), static_cast<double>(d)));
            EXPECT_NEAR(bits / said.elias_bits, 1, 0.06) << s << fr_scale_name(scale);
            EXPECT_NEAR(variance / norm / said.variance, 1, scale == FR_SCALE_L2 ? 0.05 : 0.12)
                << s << fr_scale_name(scale);
        }
}

/* ------------------------------------------------------------------------------------------- bytes */

static void expect_exchange(const fr_exchange &e, double sent, double received, double path, double hops,
                            double messages) {
    EXPECT_NEAR(e.sent, sent, 1e-9);
    EXPECT_NEAR(e.received, received, 1e-9);
    EXPECT_NEAR(e.path, path, 1e-9);
    EXPECT_EQ(e.hops, hops);
    EXPECT_EQ(e.messages, messages);
}

TEST(Forecast, VectorBytesByHand) {
    fr_job job = job_of(50000, 4000, 3200, 4);
    const struct {
        fr_wire wire;
        int levels;
        double bytes;
    } cases[] = {{FR_WIRE_FULL, 0, 32000},  {FR_WIRE_BF16, 0, 8000},    {FR_WIRE_INT8, 127, 4008},
                 {FR_WIRE_PACKED, 1, 1008}, {FR_WIRE_PACKED, 15, 2508}, {FR_WIRE_PACKED, 127, 4008}};
    for (const auto &c : cases) {
        fr_scheme scheme = {FR_COLLECTIVE_ALLGATHER, c.wire, c.levels, FR_SCALE_MAX};
        EXPECT_DOUBLE_EQ(fr_scheme_vector_bytes(&job, &scheme), c.bytes);
    }
    const double sums[][2] = {{1, 2008}, {31, 4008}, {32, 8008}, {127, 8008}}; /* four workers: fields of 4, 8 and 16 bits */
    for (const auto &s : sums) {
        fr_scheme scheme = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_PACKED, (int)s[0], FR_SCALE_MAX};
        EXPECT_DOUBLE_EQ(fr_scheme_vector_bytes(&job, &scheme), s[1]) << s[0];
    }
    job.precision = FR_F32;
    EXPECT_DOUBLE_EQ(fr_scheme_vector_bytes(&job, &FULL_SUM), 16000);
}

TEST(Forecast, AllreduceByHand) {
    fr_job job = job_of(50000, 4000, 3200, 4, 2);
    fr_exchange full = fr_exchange_between(&job, &FULL_SUM); /* 3/4 of 32000, twice; whatever W is */
    expect_exchange(full, 48000, 48000, 48000, 2, 12);
    /* 3/4 of 4000 twice; 3 numbers of 8 for the scale in 2 rounds of one message each way */
    fr_scheme levels = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_INT8, 15, FR_SCALE_MAX};
    expect_exchange(fr_exchange_between(&job, &levels), 6024, 6024, 6024, 4, 16);
    levels = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_PACKED, 127, FR_SCALE_MAX}; /* 8 workers' sums take 16 bits */
    expect_exchange(fr_exchange_between(&job, &levels), 12024, 12024, 12024, 4, 16);
}

TEST(Forecast, AllgatherByHand) {
    fr_job job = job_of(50000, 4000, 3200, 4, 2);
    fr_scheme packed = {FR_COLLECTIVE_ALLGATHER, FR_WIRE_PACKED, 7, FR_SCALE_L2}; /* 2000 and a scale of 8 */
    expect_exchange(fr_exchange_between(&job, &packed), 3 * 2 * 2008, 3 * 2 * 2008, 3 * 2 * 2008, 1, 6);
    fr_scheme full = {FR_COLLECTIVE_ALLGATHER, FR_WIRE_FULL, 0, FR_SCALE_L2};
    expect_exchange(fr_exchange_between(&job, &full), 192000, 192000, 192000, 8, 48); /* rounds of 8 KiB */
}

TEST(Forecast, TwoPhaseByHand) {
    fr_job job = job_of(50000, 4000, 3200, 4, 2);
    fr_scheme packed = {FR_COLLECTIVE_TWO_PHASE, FR_WIRE_PACKED, 7, FR_SCALE_MAX};
    /* slices 3/4 * 2 * 2000 = 3000, sums 3/4 * 2000 = 1500, scales 3 * 2 * 8 = 48, the shared scale 3 * 8 = 24 */
    expect_exchange(fr_exchange_between(&job, &packed), 4572, 4572, 4572, 4, 16);
    fr_scheme full = {FR_COLLECTIVE_TWO_PHASE, FR_WIRE_FULL, 0, FR_SCALE_L2};
    expect_exchange(fr_exchange_between(&job, &full), 72000, 72000, 72000, 3, 18); /* slices of 16000: two rounds */
}

TEST(Forecast, MasterByHand) {
    /* 3 ranks of one worker and the master: 32000 bytes in 4 chunks of 8000, handed out, and gathered in one round. */
    fr_job job = job_of(50000, 4000, 3200, 3);
    fr_scheme full = {FR_COLLECTIVE_MASTER, FR_WIRE_FULL, 0, FR_SCALE_L2};
    expect_exchange(fr_exchange_between(&job, &full), 32000 + 3 * 8000, 32000, 3 * 32000 + 6 * 8000, 3, 12);
    fr_scheme int8 = {FR_COLLECTIVE_MASTER, FR_WIRE_INT8, 127, FR_SCALE_L2};
    expect_exchange(fr_exchange_between(&job, &int8), 4008 + 3 * 8000, 32000, 3 * 4008 + 6 * 8000, 3, 12);
    fr_scheme packed = {FR_COLLECTIVE_MASTER, FR_WIRE_PACKED, 7, FR_SCALE_L2};
    job.nodes = 40; /* 32000 bytes in 41 chunks of 781: handed out in 40 messages, gathered in 40 each way */
    expect_exchange(fr_exchange_between(&job, &packed), 2008 + 40 * 781, 41 * 781, 40 * 2008 + 80 * 781, 3, 160);
}

TEST(Forecast, SharedScalesGoUpAndDownATree) {
    fr_scheme levels = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_INT8, 1, FR_SCALE_MAX};
    const int counts[][2] = {{2, 3}, {3, 4}, {5, 4}, {9, 10}, {10, 12}, {127, 20}}; /* with 2 of the sums, or MPI's 8, 8, 14 */
    for (const auto &c : counts) {
        fr_job job = job_of(50000, 4000, 3200, c[0]);
        EXPECT_EQ(fr_exchange_between(&job, &levels).hops, c[1]) << c[0];
    }
}

TEST(Forecast, ShortMessagesOfManyRanksGoByBruck) {
    /* 9 ranks: 4 rounds of one message each way. Bruck's all-to-all moves each of chunks 1 .. 8 once a bit:
     * 1 + 1 + 2 + 1 + 2 + 2 + 3 + 1 = 13; doubling 8. Slices of 100: 13 + 8 of them. The scale goes 16 times over a
     * link in all, and 8 times over that of rank 0; an integer sum 16 times, and 4 times over that of rank 0. */
    fr_job job = job_of(50000, 900, 3200, 9);
    fr_scheme sums = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_INT8, 7, FR_SCALE_MAX};
    double scale = 16 * 8 / 9.0;
    expect_exchange(fr_exchange_between(&job, &sums), 1600 + scale, 1600 + scale, 3600 + 64, 10, 24);
    fr_scheme gathers = {FR_COLLECTIVE_ALLGATHER, FR_WIRE_INT8, 127, FR_SCALE_MAX};
    expect_exchange(fr_exchange_between(&job, &gathers), 8 * 908, 8 * 908, 8 * 908, 1, 16);
    fr_scheme phases = {FR_COLLECTIVE_TWO_PHASE, FR_WIRE_INT8, 127, FR_SCALE_MAX};
    expect_exchange(fr_exchange_between(&job, &phases), 2164 + scale, 2164 + scale, 64 + 2164, 10, 32);
    job.nodes = 8; /* few ranks: directly, 7 messages each way */
    EXPECT_EQ(fr_exchange_between(&job, &gathers).messages, 14);
    job.nodes = 9, job.features = 504; /* 512 with the scale */
    expect_exchange(fr_exchange_between(&job, &gathers), 8 * 512, 8 * 512, 8 * 512, 4, 8);
}

/* Of 200 ranks in groups of 8, every leader counts: 128 ranks are as many as are asked where all are alike. */
TEST(Forecast, LeadersAndMembersCountAlike) {
    fr_job job = job_of(50000, 4000, 3200, 200);
    fr_scheme packed = {FR_COLLECTIVE_TWO_PHASE, FR_WIRE_PACKED, 7, FR_SCALE_MAX};
    fr_plan plan = {};
    plan.features = 4000, plan.workers = 200, plan.levels = 7, plan.collective = FR_COLLECTIVE_TWO_PHASE;
    plan.wire = FR_WIRE_PACKED, plan.precision = FR_F64;
    fr_exchange e = fr_exchange_between(&job, &packed);
    EXPECT_NEAR(e.sent, fr_traffic_mean(&plan, 200, 0), 1e-9 * e.sent);
    EXPECT_NEAR(e.received, e.sent, 1e-9 * e.sent);
    EXPECT_EQ(e.hops, 4 + 6);
}

TEST(Forecast, ScalesHaveThePrecisionOfTheFit) {
    fr_job job = job_of(50000, 4000, 3200, 4);
    job.precision = FR_F32;
    fr_scheme int8 = {FR_COLLECTIVE_ALLGATHER, FR_WIRE_INT8, 127, FR_SCALE_MAX};
    EXPECT_EQ(fr_exchange_between(&job, &int8).sent, 3 * 4004);
}

TEST(Forecast, EliasHasItsMeanLengthAndNotTheMost) {
    fr_job job = job_of(50000, 4000, 3200, 4, 2);
    for (fr_collective collective : {FR_COLLECTIVE_ALLGATHER, FR_COLLECTIVE_MASTER}) {
        fr_scheme elias = {collective, FR_WIRE_ELIAS, 7, FR_SCALE_L2};
        double vector = fr_scheme_vector_bytes(&job, &elias);
        bool master = collective == FR_COLLECTIVE_MASTER; /* 5 ranks, 5 chunks of a model of 32000 */
        EXPECT_NEAR(fr_exchange_between(&job, &elias).sent / (master ? 2 * vector + 4 * 6400 : 6 * vector), 1, 1e-3);
        EXPECT_NEAR(fr_exchange_between(&job, &elias).path / (master ? 8 * vector + 8 * 6400 : 6 * vector), 1, 1e-3);
    }
}

TEST(Forecast, AMillionRanksTakeNoLonger) {
    fr_job job = job_of(500000000, 8000000, 32000000, 1000000);
    fr_scheme phases = {FR_COLLECTIVE_TWO_PHASE, FR_WIRE_INT8, 127, FR_SCALE_MAX};
    fr_exchange e = fr_exchange_between(&job, &phases); /* slices of 8 by 20 rounds and 16 back */
    EXPECT_EQ(e.hops, 14 + 40);
    EXPECT_GT(e.sent, 999999.0 * 16);
}

TEST(Forecast, TwoLevelsByHand) {
    fr_job job = job_of(50000, 4000, 3200, 4, 8);
    job.two_level = true;
    /* inside: 7/8 of 32000 bytes twice; between: each node as one worker */
    expect_exchange(fr_exchange_inside(&job), 56000, 56000, 56000, 2, 28);
    fr_scheme packed = {FR_COLLECTIVE_ALLGATHER, FR_WIRE_PACKED, 7, FR_SCALE_L2};
    EXPECT_NEAR(fr_exchange_between(&job, &packed).sent, 3 * 2008, 1e-9);
    fr_scheme sums = {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_INT8, 31, FR_SCALE_MAX}; /* 4 x 31 fit, 32 x 31 do not */
    EXPECT_EQ(fr_scheme_check(&job, &sums, nullptr), FR_OK);
    job.two_level = false;
    expect_exchange(fr_exchange_inside(&job), 0, 0, 0, 0, 0);
    EXPECT_EQ(fr_scheme_check(&job, &sums, nullptr), FR_ERROR_USAGE);
}

TEST(Forecast, OneRankExchangesNothing) {
    fr_job job = job_of(50000, 4000, 3200, 1, 8);
    expect_exchange(fr_exchange_between(&job, &FULL_SUM), 0, 0, 0, 0, 0);
}

/* ------------------------------------------------------------------------------------------ seconds */

TEST(Forecast, SecondsByHand) {
    fr_exchange e = {0, 0, 1000, 3, 8};
    fr_network network = {2e-3, 1e5, 1e-3};
    EXPECT_DOUBLE_EQ(fr_exchange_seconds(&e, &network), 3 * 2e-3 + 1e-2 + 8 * 1e-3);
    fr_job job = job_of(50000, 4000, 3200, 4);
    fr_forecast f = forecast(job, FULL_SUM);
    EXPECT_DOUBLE_EQ(f.compute_seconds, 800 * 4000 / 2e9);
    EXPECT_DOUBLE_EQ(f.exchange_seconds, 2 * 50e-6 + 48000 / 125e6);
    EXPECT_DOUBLE_EQ(f.code_seconds, 0.25 * 8000 / 5e8); /* own and sums added, a quarter of a quantized coordinate */
    EXPECT_DOUBLE_EQ(f.step_seconds, f.compute_seconds + f.exchange_seconds + f.code_seconds);
    EXPECT_DOUBLE_EQ(f.seconds, f.steps * f.step_seconds);
    EXPECT_DOUBLE_EQ(f.theorem_seconds, f.theorem_steps * f.step_seconds);
    job.two_level = true, job.workers_a_node = 2;
    f = forecast(job, FULL_SUM);
    EXPECT_DOUBLE_EQ(f.exchange_seconds, 2 * 50e-6 + 48000 / 125e6 + 2 * 5e-6 + 32000 / 1e9);
}

TEST(Forecast, CodingByHand) {
    fr_job job = job_of(50000, 4000, 3200, 4);
    fr_scheme scheme = {FR_COLLECTIVE_ALLGATHER, FR_WIRE_INT8, 127, FR_SCALE_L2};
    EXPECT_DOUBLE_EQ(fr_exchange_coding(&job, &scheme), 4000 + 0.25 * 16000);
    scheme.collective = FR_COLLECTIVE_TWO_PHASE; /* own and a slice of sums out; 4 slices and all sums in */
    EXPECT_DOUBLE_EQ(fr_exchange_coding(&job, &scheme), 5000 + 0.25 * 8000);
}

TEST(Forecast, SchemesThatCannotRunAreRefused) {
    fr_job job = job_of(50000, 4000, 3200, 40);
    const fr_scheme refused[] = {{FR_COLLECTIVE_ALLREDUCE, FR_WIRE_INT8, 7, FR_SCALE_MAX}, /* 40 x 7 */
                                 {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_ELIAS, 1, FR_SCALE_MAX},
                                 {FR_COLLECTIVE_TWO_PHASE, FR_WIRE_ELIAS, 7, FR_SCALE_MAX},
                                 {FR_COLLECTIVE_ALLGATHER, FR_WIRE_BF16, 0, FR_SCALE_L2},
                                 {FR_COLLECTIVE_MASTER, FR_WIRE_FULL, 7, FR_SCALE_L2},
                                 {FR_COLLECTIVE_MASTER, FR_WIRE_INT8, 0, FR_SCALE_L2}};
    for (const fr_scheme &scheme : refused) EXPECT_EQ(fr_scheme_check(&job, &scheme, nullptr), FR_ERROR_USAGE);
    const fr_scheme fine[] = {{FR_COLLECTIVE_ALLREDUCE, FR_WIRE_INT8, 3, FR_SCALE_MAX},
                              {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_PACKED, 127, FR_SCALE_MAX}, /* 40 x 127 */
                              {FR_COLLECTIVE_ALLREDUCE, FR_WIRE_BF16, 0, FR_SCALE_L2},
                              {FR_COLLECTIVE_MASTER, FR_WIRE_ELIAS, 7, FR_SCALE_L2}};
    for (const fr_scheme &scheme : fine) EXPECT_EQ(fr_scheme_check(&job, &scheme, nullptr), FR_OK);
}
