// SPDX-License-Identifier: Apache-2.0
// table.md and table.csv.
#include <set>

#include "freeatm/core/format.h"
#include "freeatm/core/progress.h"
#include "freeatm/core/version.h"
#include "freeatm/tables/results.h"
#include "freeatm/tables/run.h"

#include "numbers.h"

namespace freeatm::tables {
namespace {

std::string line_of_cells(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + " |";
  return line + "\n";
}

std::string head_of(const std::vector<std::string>& cells) {
  return line_of_cells(cells) + line_of_cells(std::vector<std::string>(cells.size(), "---"));
}

std::string marked(const CellResult& cell, int64_t digits) {
  if (!cell.has_cell) return "";
  return mean_text(cell, digits) + (cell.is_missed() ? " ✗" : "");
}

std::string means(const TableFile& table, const Results& results) {
  std::vector<std::string> head = {""};
  for (const Column& column : table.columns) head.push_back(column.title);
  head.push_back("minutes");
  std::string text = head_of(head);
  for (size_t row = 0; row < table.rows.size(); ++row) {
    std::vector<std::string> cells = {table.rows[row].title};
    for (size_t column = 0; column < table.columns.size(); ++column)
      cells.push_back(marked(results.cells[row][column], table.columns[column].digits));
    cells.push_back(fixed(results.minutes[row], 1));
    text += line_of_cells(cells);
  }
  return text;
}

std::string differences(const TableFile& table, const Results& results) {
  std::string text = head_of({"", "column", "difference", "95% interval", "deviation", "pairs"}), lines;
  for (size_t row = 0; row < table.rows.size(); ++row) {
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const auto& difference = results.cells[row][i].difference;
      if (!difference) continue;
      const int64_t digits = table.columns[i].digits;
      const Summary& pairs = difference->of_pairs;
      lines += line_of_cells({table.rows[row].title, table.columns[i].title, signed_fixed(pairs.mean, digits),
                              interval_text(*difference, digits),
                              pairs.deviation ? fixed(*pairs.deviation, digits) : "–", std::to_string(pairs.count)});
    }
  }
  return lines.empty() ? "" : text + lines;
}

/// The jobs that rows are made by, those of the first seed: others differ in the seed alone.
std::string commands(const TableFile& table, const JobGraph& graph, const Plan& plan, const RunOptions& options) {
  std::string text;
  std::set<size_t> said;
  const auto say = [&](const auto& self, size_t job) -> void {
    if (!said.insert(job).second) return;
    for (const size_t input : graph.jobs[job].inputs) self(self, input);
    text += command_line_of(graph.jobs[job], options.runs) + "\n";
  };
  for (size_t row = 0; row < table.rows.size(); ++row) {
    text += "# " + table.rows[row].title + "\n";
    for (const Cell& cell : graph.cells) {
      if (cell.row == row && cell.seed < plan.seeds) say(say, cell.job);
    }
  }
  return text;
}

std::string made_on(const Plan& plan) {
  std::set<std::string> machines, programs;
  for (const auto& result : plan.results) {
    if (!result) continue;
    machines.insert(format("{}, {} threads a job", result->machine, result->threads));
    programs.insert(result->commit.empty() ? result->version : result->commit);
  }
  std::string text;
  for (const std::string& machine : machines) text += (text.empty() ? "Machine: " : "; ") + machine;
  if (!text.empty()) text += ". Program:";
  for (const std::string& program : programs) text += " " + program;
  return text.empty() ? "" : text + ".\n";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::string markdown(const TableFile& table, const JobGraph& graph, const Plan& plan, const Results& results,
                     const RunOptions& options) {
  std::string text = "# " + table.title + "\n\n";
  if (!table.note.empty()) text += table.note + "\n\n";
  text += format("Mean ± deviation (seeds){}. Minutes are those of all of a row's jobs, shared ones included.\n",
                 results.missing > 0 ? format("; {} values are not known yet", results.missing) : "");
  text += made_on(plan) + "\n" + means(table, results) + "\n";
  const std::string beside = differences(table, results);
  if (!beside.empty()) {
    text += format("What rows have more than {}, over the seeds that both have (paired; Student's t):\n\n",
                   table.row(table.baseline).title) +
            beside + "\n";
  }
  for (const std::string& miss : misses(table, results)) text += "✗ " + miss + "\n";
  return text + "\nThe commands:\n\n```sh\n" + commands(table, graph, plan, options) + "```\n";
}

std::string csv(const TableFile& table, const Results& results) {
  std::string text =
      "row,column,seeds,mean,deviation,pairs,difference,low,high,expected,tolerance,is_missed,row_minutes\n";
  const auto number = [](const auto& value) { return value ? format("{}", *value) : std::string(); };
  for (size_t row = 0; row < table.rows.size(); ++row) {
    for (size_t i = 0; i < table.columns.size(); ++i) {
      const CellResult& cell = results.cells[row][i];
      if (!cell.has_cell) continue;
      text += quoted(table.rows[row].name) + "," + quoted(table.columns[i].name) + ",";
      text += cell.summary
                  ? format("{},{},{},", cell.summary->count, cell.summary->mean, number(cell.summary->deviation))
                  : "0,,,";
      text +=
          cell.difference ? format("{},{},", cell.difference->of_pairs.count, cell.difference->of_pairs.mean) : ",,";
      const bool has_interval = cell.difference && cell.difference->interval;
      text +=
          has_interval ? format("{},{},", cell.difference->interval->first, cell.difference->interval->second) : ",,";
      text += cell.expected ? format("{},{},", cell.expected->value, cell.expected->tolerance) : ",,";
      text += format("{},{}\n", cell.is_missed(), fixed(results.minutes[row], 2));
    }
  }
  return text;
}

}  // namespace freeatm::tables
