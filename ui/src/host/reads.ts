import {
  hashKey,
  keepPreviousData,
  QueryClient,
  useMutation,
  type UseMutationResult,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from "@tanstack/react-query";
import { useState } from "react";

import { type CacheTag, commandTags } from "./bindings";
import { useHost } from "./context";
import { type Answer, type CallFailed, type Command, failureOf, type Request } from "./host";

type Table = typeof commandTags;
/** Commands that only look. */
export type ReadCommand = { [K in Command]: Table[K]["kind"] extends "read" ? K : never }[Command];

const tagsOf = (command: Command): readonly CacheTag[] => commandTags[command].tags;

/** Marks every read stale that declares one of the tags; what is on the screen is read again. */
export function invalidate(client: QueryClient, stale: Iterable<CacheTag>) {
  const tags = new Set(stale);
  void client.invalidateQueries({
    predicate: ({ queryKey }) => {
      const command = queryKey[0] as Command;
      return command in commandTags && tagsOf(command).some((tag) => tags.has(tag));
    },
  });
}

/** Makes the cache of reads. Nothing grows old by time alone: events and writes say what is stale. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        networkMode: "always",
        retry: (count, thrown) => failureOf(thrown).code === "host_gone" && count < 5,
        retryDelay: 1000,
      },
      mutations: { networkMode: "always" },
    },
  });
}

interface ReadOptions {
  /** Do not ask yet. */
  enabled?: boolean;
  /** Ask again after so many milliseconds. */
  every?: number | false;
  /** Show the last answer while the next one to another question is on its way. */
  keep?: boolean;
}

/** Reads from the core and stays true: events and writes with the same tags read it again. */
export function useRead<K extends ReadCommand>(
  command: K,
  request: Request<K>,
  { enabled = true, every = false, keep = false }: ReadOptions = {},
): UseQueryResult<Answer<K>, CallFailed> {
  const { host } = useHost();
  type Read = UseQueryResult<Answer<K>, CallFailed>;
  const read = useQuery<unknown, CallFailed>({
    queryKey: [command, request],
    queryFn: ({ signal }) => host.call(command, request, signal),
    enabled,
    refetchInterval: every,
    ...(keep ? { placeholderData: keepPreviousData } : {}),
  });
  // Asking again forgets the failure, and an event asks again: what is on the screen would blink each time.
  const [last, setLast] = useState<{ question: string; failure: CallFailed }>();
  if (read.data !== undefined || !(read.error ?? last)) return read as Read;
  const question = hashKey([command, request]);
  if (read.error && last?.failure !== read.error) setLast({ question, failure: read.error });
  if (read.error || last?.question !== question) return read as Read;
  return { ...read, error: last.failure, status: "error", isError: true, isPending: false } as unknown as Read;
}

/** Calls the core on a person's wish; what the command makes stale is read again, also after a failure. */
export function useCall<K extends Command>(command: K): UseMutationResult<Answer<K>, CallFailed, Request<K>> {
  const { host } = useHost();
  const client = useQueryClient();
  return useMutation<Answer<K>, CallFailed, Request<K>>({
    mutationFn: (request) => host.call(command, request),
    onSettled: () => {
      if (commandTags[command].kind === "write") invalidate(client, tagsOf(command));
    },
  });
}
