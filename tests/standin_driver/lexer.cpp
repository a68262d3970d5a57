#include "lexer.h"

#include <cctype>
#include <cstdlib>

namespace standin {

namespace {

bool in_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%' || c == '.';
}

}  // namespace

std::vector<Token> tokens_of(const std::string& ptx) {
  std::vector<Token> tokens;
  std::uint32_t line = 1;
  for (std::size_t at = 0; at < ptx.size();) {
    const char c = ptx[at];
    std::size_t end = at + 1;
    if (c == '\n') ++line;
    if (std::isspace(static_cast<unsigned char>(c))) {
      at = end;
    } else if (ptx.compare(at, 2, "//") == 0) {
      end = ptx.find('\n', at);
      at = end == std::string::npos ? ptx.size() : end;
    } else if (ptx.compare(at, 2, "/*") == 0) {
      end = ptx.find("*/", at + 2);
      if (end == std::string::npos) throw PtxError(line, "a comment does not end");
      for (; at < end + 2; ++at) line += ptx[at] == '\n';
    } else {
      if (c == '"') {
        end = ptx.find('"', end);
        if (end == std::string::npos) throw PtxError(line, "a string does not end");
        ++end;
      } else if (in_word(c)) {
        // L1::no_allocate is one modifier of an opcode.
        while (end < ptx.size() && (in_word(ptx[end]) || ptx.compare(end, 2, "::") == 0))
          end += ptx[end] == ':' ? 2 : 1;
      }
      tokens.push_back({ptx.substr(at, end - at), line});
      at = end;
    }
  }
  return tokens;
}

const std::string& Tokens::peek(std::size_t ahead) const {
  if (next_ + ahead >= tokens_.size()) throw PtxError(last_line(), "something is missing at the end");
  return tokens_[next_ + ahead].text;
}

bool Tokens::accept(const char* text) {
  if (at_end() || tokens_[next_].text != text) return false;
  ++next_;
  return true;
}

void Tokens::expect(const char* text) {
  if (!accept(text))
    throw PtxError(line(), std::string("expected '") + text + "', found '" + (at_end() ? "" : peek()) + "'");
}

std::int64_t Tokens::take_integer() {
  const bool negative = accept("-");
  const auto at = line();
  const auto value = static_cast<std::int64_t>(number_of(take(), at));
  return negative ? -value : value;
}

Tokens Tokens::take_statement() {
  std::vector<Token> statement;
  while (peek() != ";") statement.push_back(tokens_[next_++]);
  ++next_;
  return Tokens(std::move(statement));
}

std::string Tokens::joined() const {
  std::string text;
  for (const Token& token : tokens_) {
    const bool both_words = !text.empty() && (in_word(text.back()) || text.back() == ',') && token.text != ",";
    if (both_words && token.text != "]" && token.text != "}" && token.text != "+") text += ' ';
    text += token.text;
  }
  return text;
}

bool is_number(const std::string& word) { return !word.empty() && std::isdigit(static_cast<unsigned char>(word[0])); }

std::uint64_t number_of(const std::string& word, std::uint32_t line) {
  if (!is_number(word)) throw PtxError(line, "'" + word + "' is not a number");
  const bool bits = word.size() > 2 && word[0] == '0' && std::string("fFdD").find(word[1]) != std::string::npos;
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(word.c_str() + (bits ? 2 : 0), &end, bits ? 16 : 0);
  if (*end != 0 && std::string(end) != "U") throw PtxError(line, "'" + word + "' is not a number");
  return value;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end - at));
    if (end == std::string::npos) return parts;
    at = end + 1;
  }
}

}  // namespace standin
