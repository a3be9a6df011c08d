import type { BuildId, Commands, ErrorCode, EventMessage, Failure } from "./bindings";

/** The name of a command of the core. */
export type Command = keyof Commands;
/** What a command takes. */
export type Request<K extends Command> = Commands[K]["request"];
/** What a command gives back. */
export type Answer<K extends Command> = Commands[K]["response"];

/** The core's codes, and the one that only the console can know: nobody answers behind the window. */
export type FailureCode = ErrorCode | "host_gone";
/** A failure as the console shows it. */
export type ShownFailure = Omit<Failure, "code"> & { code: FailureCode };

/** What a call throws. Nothing else leaves a {@link Host}. */
export class CallFailed extends Error {
  readonly failure: ShownFailure;

  constructor(failure: ShownFailure) {
    super(failure.message);
    this.name = "CallFailed";
    this.failure = failure;
  }
}

/** Returns the failure inside anything that was thrown. */
export function failureOf(thrown: unknown): ShownFailure {
  if (thrown instanceof CallFailed) return thrown.failure;
  return { code: "internal", message: thrown instanceof Error ? thrown.message : String(thrown) };
}

/** Returns whether something that came over a border has the shape of a failure. */
export function isFailure(value: unknown): value is Failure {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Failure).code === "string" &&
    typeof (value as Failure).message === "string"
  );
}

/** Whoever hosts the console: the desktop window, the devhost in a browser, or a test. */
export interface Host {
  /** Calls the core. Throws {@link CallFailed}. */
  call<K extends Command>(command: K, request: Request<K>, signal?: AbortSignal): Promise<Answer<K>>;
  /** Listens to the core's events until the returned function is called; reconnects by itself and says how it stands. */
  subscribe(onMessage: (message: EventMessage) => void, onConnection: (connected: boolean) => void): () => void;
  /**
   * Saves the whole log of a build as plain text, under a name that the person may change; a browser downloads it.
   * False when the person closed the dialog. Throws {@link CallFailed}.
   */
  saveLog(build: BuildId, name: string): Promise<boolean>;
  /** Saves a text the same way. */
  saveText(name: string, text: string): Promise<boolean>;
  /** Lets the person choose a folder of this machine; null when the dialog was closed. Only where there is a window. */
  pickFolder?(): Promise<string | null>;
  /** Lets the person choose a file of this machine; null when the dialog was closed. Only where there is a window. */
  pickFile?(): Promise<string | null>;
  /** Opens a web page in the person's browser; anything but http and https is refused. */
  openLink(url: string): Promise<void>;
  /** Calls the listener when something outside the page, such as a notification, leads to an address of the console. */
  onAddress?(listener: (address: string) => void): () => void;
  /** Tells the window's own parts (tray, notifications, dialogs) which language the person reads. */
  speak?(language: string): void;
  /** What this host can do beyond calls. */
  readonly capabilities: {
    /** The console runs in a window of its own rather than in a browser. */
    readonly window: boolean;
  };
}
