/** Years of use, written straight into the database of a product that is not running. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const authors = ["Ann", "Bo Chen", "Émile", "Fatima", "李雷", "Jürgen", "Olga", "Tom"];
const words = ["Fix the door", "Add a login page", "Rework retries", "升级文档", "Explain timeouts", "Remove the cache", "修复登录页"];
const branches = ["main", "release/1.4", "feature/a-rather-long-name-that-somebody-once-chose", "修复-42"];

/** Copies the newest build of a repository `count` times, each with a number, state, branch, author and message of its own. */
export function addBuilds(dataFolder, repository, count) {
  const database = new DatabaseSync(join(dataFolder, "state.db"));
  try {
    const columns = database.prepare("PRAGMA table_info(builds)").all().map(({ name }) => name);
    const model = database.prepare("SELECT * FROM builds WHERE repository_id = ? AND state = 'succeeded' ORDER BY id DESC LIMIT 1").get(repository);
    const { last } = database.prepare("SELECT max(id) AS last FROM builds").get();
    const insert = database.prepare(`INSERT INTO builds (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`);
    const search = database.prepare("INSERT INTO build_search (rowid, text) VALUES (?, ?)");
    database.exec("BEGIN");
    for (let n = 1; n <= count; n += 1) {
      const id = last + n;
      const state = n % 9 === 0 ? "failed" : n % 31 === 0 ? "cancelled" : n % 17 === 0 ? "superseded" : "succeeded";
      const commit = JSON.parse(model.commit_details);
      const hash = n.toString(16).padStart(8, "0").repeat(5);
      Object.assign(commit, { id: hash, summary: `${words[n % words.length]} (${n})`, author: authors[n % authors.length] });
      commit.message = commit.summary;
      const row = {
        ...model,
        id,
        number: model.number + n,
        state,
        ref_name: `refs/heads/${branches[n % branches.length]}`,
        commit_id: hash,
        commit_details: JSON.stringify(commit),
        tags: JSON.stringify([`b-${branches[n % branches.length].replace(/[^\w.-]/g, "-")}-${hash.slice(0, 7)}`]),
        created_at: model.created_at - (count - n + 5) * 60_000,
        started_at: model.created_at - (count - n + 5) * 60_000,
        ended_at: model.created_at - (count - n + 5) * 60_000 + 1000 * (3 + (n % 200)),
      };
      insert.run(...columns.map((name) => row[name]));
      search.run(id, `#${row.number}\n${row.ref_name.slice(11)}\n${hash}\n${commit.summary}\nsite\n${commit.author}`.toLowerCase());
    }
    database.prepare("UPDATE image_repositories SET next_build_number = ? WHERE id = ?").run(model.number + count + 1, repository);
    database.exec("COMMIT");
  } finally {
    database.close();
  }
}
