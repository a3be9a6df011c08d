/** What a piece of a Dockerfile is; the style sheet gives each its colour. */
export type PieceKind = "keyword" | "flag" | "string" | "variable" | "comment" | "plain";

/** A piece of a line. */
export interface Piece {
  kind: PieceKind;
  text: string;
}

const INSTRUCTION =
  /^(\s*)(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)(?=\s|$)/i;
const ESCAPE = /^\s*#\s*escape\s*=\s*([\\`])\s*$/i;
const HEREDOC = /<<(-?)\s*(["']?)([A-Za-z_][\w.-]*)\2/g;
/** Strings first: what looks like a flag or a variable inside single quotes is neither. */
const PIECES = /'[^']*'|"(?:[^"\\]|\\.)*"|\$\{[^}]*\}|\$\w+|(?<=\s)--[a-z][\w-]*|\bAS\b(?=\s+\S+\s*$)/gi;
const VARIABLE = /\$\{[^}]*\}|\$\w+/g;

/** Cuts the text of a Dockerfile into pieces, line by line. Joined again they are the text. */
export function dockerfilePieces(text: string): Piece[][] {
  let escape = "\\";
  let continues = false;
  let heredocs: { name: string; dash: boolean }[] = [];
  return text.split("\n").map((line, at) => {
    const [heredoc] = heredocs;
    if (heredoc) {
      if ((heredoc.dash ? line.replace(/^\t+/, "") : line) === heredoc.name) heredocs = heredocs.slice(1);
      return [{ kind: "string", text: line }];
    }
    const directive = at === 0 ? ESCAPE.exec(line) : null;
    if (directive?.[1]) escape = directive[1];
    if (/^\s*#/.test(line)) return [{ kind: "comment", text: line }];
    const pieces: Piece[] = [];
    let rest = line;
    while (!continues || pieces.length > 0) {
      const [whole, space = "", word = ""] = INSTRUCTION.exec(rest) ?? [];
      if (whole === undefined) break;
      if (space) pieces.push({ kind: "plain", text: space });
      pieces.push({ kind: "keyword", text: word });
      rest = rest.slice(whole.length);
      // What it triggers later is an instruction, and so is the command of a health check.
      if (!/^(ONBUILD|HEALTHCHECK)$/i.test(word)) break;
    }
    const takesHeredoc = continues || /^(RUN|COPY|ADD)$/i.test(pieces.at(-1)?.text ?? "");
    if (takesHeredoc) heredocs = [...rest.matchAll(HEREDOC)].map(([, dash, , name = ""]) => ({ name, dash: dash === "-" }));
    // An empty line inside an instruction does not end it.
    if (line.trim() !== "" || !continues) continues = line.trimEnd().endsWith(escape);
    return [...pieces, ...piecesOf(rest)];
  });
}

function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const plain = (until: number) => {
    if (until > end) pieces.push({ kind: "plain", text: text.slice(end, until) });
  };
  for (const match of text.matchAll(PIECES)) {
    plain(match.index);
    end = match.index + match[0].length;
    pieces.push(...pieceOf(match[0]));
  }
  plain(text.length);
  return pieces;
}

function pieceOf(text: string): Piece[] {
  if (text.startsWith("$")) return [{ kind: "variable", text }];
  if (text.startsWith("-")) return [{ kind: "flag", text }];
  if (/^as$/i.test(text)) return [{ kind: "keyword", text }];
  if (text.startsWith("'")) return [{ kind: "string", text }];
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    pieces.push({ kind: "string", text: text.slice(end, match.index) }, { kind: "variable", text: match[0] });
    end = match.index + match[0].length;
  }
  return [...pieces, { kind: "string", text: text.slice(end) }];
}
