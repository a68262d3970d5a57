// PTX text as tokens and statements.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace standin {

// PTX that is wrong, or beyond this interpreter.
struct PtxError : std::runtime_error {
  PtxError(std::uint32_t line, const std::string& what)
      : std::runtime_error("PTX line " + std::to_string(line) + ": " + what) {}
};

struct Token {
  std::string text;  // a word (letters, digits, and _ $ % .), a string with its quotes, or one other character
  std::uint32_t line;
};

std::vector<Token> tokens_of(const std::string& ptx);

// Walks over tokens; asking beyond the last one is an error.
class Tokens {
 public:
  explicit Tokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  [[nodiscard]] bool at_end() const { return next_ == tokens_.size(); }
  [[nodiscard]] std::uint32_t line() const { return at_end() ? last_line() : tokens_[next_].line; }
  [[nodiscard]] const std::string& peek(std::size_t ahead = 0) const;
  std::string take() {
    std::string text = peek();
    ++next_;
    return text;
  }
  // Takes the token if it is this one.
  bool accept(const char* text);
  void expect(const char* text);
  // A number, perhaps negative.
  std::int64_t take_integer();
  // All tokens before the next semicolon, which is taken too.
  Tokens take_statement();
  [[nodiscard]] std::string joined() const;

 private:
  [[nodiscard]] std::uint32_t last_line() const { return tokens_.empty() ? 0 : tokens_.back().line; }

  std::vector<Token> tokens_;
  std::size_t next_ = 0;
};

bool is_number(const std::string& word);
std::uint64_t number_of(const std::string& word, std::uint32_t line);
std::vector<std::string> split(const std::string& text, char separator);

}  // namespace standin
