/*
 * json.h - reads what the program prints with --json.
 */
#ifndef FR_TEST_JSON_H
#define FR_TEST_JSON_H

#include <jansson.h>

#include "program.h"

/* A JSON object on stdout, and nothing else. */
class Json {
  public:
    explicit Json(const Said &said) {
        json_error_t error;
        root = json_loads(said.out.c_str(), JSON_REJECT_DUPLICATES, &error);
        EXPECT_NE(root, nullptr) << error.text << " in: " << said.out << said.err;
    }
    ~Json() { json_decref(root); }
    Json(const Json &) = delete;
    Json &operator=(const Json &) = delete;

    /* The value at "outer.inner", or NULL. */
    json_t *at(const std::string &path) const {
        json_t *value = root;
        for (size_t begin = 0; begin <= path.size() && value;) {
            size_t end = std::min(path.find('.', begin), path.size());
            value = json_object_get(value, path.substr(begin, end - begin).c_str());
            begin = end + 1;
        }
        EXPECT_NE(value, nullptr) << path;
        return value;
    }
    std::string text(const std::string &path) const {
        const char *value = json_string_value(at(path));
        return value ? value : "(no string)";
    }
    double number(const std::string &path) const {
        EXPECT_TRUE(json_is_number(at(path))) << path;
        return json_number_value(at(path));
    }
    bool null(const std::string &path) const { return json_is_null(at(path)); }

  private:
    json_t *root;
};

#endif
