#pragma once

#include <string>
#include <vector>

namespace adamec {

// Columns of text for a terminal, aligned by their widest cell.
class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // One cell per column; missing cells are empty.
  void add_row(std::vector<std::string> cells);
  // Title row, then the rows, each ending in a newline; no trailing spaces.
  [[nodiscard]] std::string str() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace adamec
