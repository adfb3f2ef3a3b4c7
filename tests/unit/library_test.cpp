/*
 * library_test.cpp - libraries opened when they are first needed, with the C library's mathematics as the example.
 */
#include <gtest/gtest.h>

#include <cmath>
extern "C" {
#include "base/library.h"
}

namespace {

struct Opened {
    fr_status status;
    fr_error error = {};
    char file[100] = "";
    double (*cosine)(double) = nullptr;
    explicit Opened(const fr_library &library, const char *name = "cos") {
        const fr_symbol symbols[] = {{name, &cosine}};
        status = fr_library_open(&library, symbols, 1, file, sizeof file, &error);
    }
};

TEST(Library, TheFirstFileThatOpensServes) {
    const Opened mathematics({"Mathematics", nullptr, {"libnowhere.so.9", "libm.so.6"}});
    ASSERT_EQ(mathematics.status, FR_OK) << mathematics.error.message;
    EXPECT_STREQ(mathematics.file, "libm.so.6");
    EXPECT_EQ(mathematics.cosine(0), 1);
}

TEST(Library, OneThatIsMissingIsNamed) {
    const Opened none({"Mathematics", nullptr, {"libnowhere.so.9"}});
    EXPECT_EQ(none.status, FR_ERROR_DEVICE);
    EXPECT_NE(std::string(none.error.message).find("Mathematics is not here: libnowhere.so.9: "), std::string::npos)
        << none.error.message;
}

TEST(Library, OneThatLacksAFunctionIsTooOld) {
    const Opened old({"Mathematics", nullptr, {"libm.so.6"}}, "cos_of_tomorrow");
    EXPECT_EQ(old.status, FR_ERROR_DEVICE);
    EXPECT_NE(std::string(old.error.message).find("Mathematics in libm.so.6 is too old: "), std::string::npos);
    EXPECT_NE(std::string(old.error.message).find("cos_of_tomorrow"), std::string::npos) << old.error.message;
}

TEST(Library, TheEnvironmentNamesAnotherFile) {
    const fr_library library = {"Mathematics", "FITRELU_TEST_LIBRARY", {"libnowhere.so.9"}};
    setenv("FITRELU_TEST_LIBRARY", "libm.so.6", 1);
    EXPECT_EQ(Opened(library).status, FR_OK);
    setenv("FITRELU_TEST_LIBRARY", "/nowhere/libm.so.6", 1);
    const Opened none({"Mathematics", "FITRELU_TEST_LIBRARY", {"libm.so.6"}});
    EXPECT_EQ(none.status, FR_ERROR_DEVICE) << "what the environment names is not passed over";
    unsetenv("FITRELU_TEST_LIBRARY");
}

} // namespace
