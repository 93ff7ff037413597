/** A file or directory in the artifact store, by reference: histories carry this, never the content (I6). */
export interface ArtifactRef {
  /** `file:///...` or `s3://...` */
  uri: string;
  /** Hex sha256: of the bytes for a file, of the tensors for a policy. */
  sha256: string;
}

/** A policy is the planner's weights after a step: `<training run>@<step>` and the sha256 of its tensors (I11). */
export interface PolicyRef {
  name: string;
  sha256: string;
}
