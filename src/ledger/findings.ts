/**
 * What is wrong with an event:
 * - `changed`: its text, its hash or its link was altered;
 * - `fields-differ`: the fields beside the canonical text say something else than the text, which went past the validator;
 * - `missing`: there is no event with this number, though there are later ones;
 * - `out-of-order`: an event that was recorded under another number stands here;
 * - `inserted`: an event that was not recorded here;
 * - `cut-off`: the newest events are gone, by a head that somebody else kept;
 * - `rewritten`: the stream is whole in itself, but not the one whose head somebody else kept: this event or ones before it were
 *   altered and all later ones hashed anew.
 */
export type BadKind =
  'changed' | 'fields-differ' | 'missing' | 'out-of-order' | 'inserted' | 'cut-off' | 'rewritten';

export interface BadEvent {
  readonly stream: string;
  /** The place in the stream. */
  readonly sequence: number;
  readonly kind: BadKind;
  /** Id of the event that stands at the place, if one does and it has one. */
  readonly id: string | null;
  /** In words. */
  readonly detail: string;
}

/** What no verification of the database alone can show; said with every result. */
export const NOT_SHOWN: readonly string[] = [
  'The newest events of a stream can be cut off unseen, unless its head was kept elsewhere, as the lifecycle workflow does',
  'Somebody who may write to the database can append a well-formed event that never happened',
  'Somebody who may write to the database can alter an event and hash all later ones anew; only a head or a signed checkpoint ' +
    'kept outside shows it, for the events that it covers',
];
