// The shapes of what Python sends to the page. Each has a twin of the same name: a TypedDict in
// demo/ui/viewer_value.py, or, where the name begins with Live, in demo/web/live_socket.py.

/**
 * A colour as red, green and blue in [0, 255].
 *
 * @typedef {[red: number, green: number, blue: number]} Colour
 */

/**
 * The area of one class. In a still image it is a number of pixels, in a live result a fraction of
 * the frame.
 *
 * @typedef {[classId: number, area: number]} AreaRow
 */

/**
 * One class; its place in the list of all classes is its class id.
 *
 * @typedef {object} ClassInfo
 * @property {string} name
 * @property {string} [meaning] what the name says, where that is not plain.
 * @property {Colour} voc the colour that PASCAL VOC gives it.
 * @property {Colour} safe a colour that colour-blind people can tell from the others.
 */

/**
 * What a component is mounted with.
 *
 * @template Value
 * @typedef {object} ViewerProps
 * @property {string} module address of the JavaScript module that has mount().
 * @property {ClassInfo[]} classes
 * @property {Value | null} [value] what to show; Gradio sets it.
 */

/**
 * What the comparison is mounted with.
 *
 * @typedef {ViewerProps<ComparisonValue> & {viewer: string}} ComparisonProps viewer: the content of
 *     viewer.html, for the viewer of each variant.
 */

/**
 * What the live view is mounted with.
 *
 * @typedef {ViewerProps<null> & {in_browser?: string, models?: {key: string, label: string}[]}}
 *     LiveProps in_browser: address of the page without a server; empty if there is none. models:
 *     those that the owner of the app offers beside the published variants.
 */

/**
 * What can be inspected in one result.
 *
 * @typedef {object} ResultValue
 * @property {string} description for people who do not see the picture.
 * @property {string | Float32Array} logits of shape (C, h, w): base64 of little-endian half floats
 *     from the server, floats from the network in the browser.
 * @property {[h: number, w: number]} grid the shape of the logits of one class.
 * @property {[top: number, left: number, bottom: number, right: number]} box the part of the image
 *     that the network saw, in pixels of the image.
 * @property {number[]} winners ids of the classes that can have the largest logit somewhere.
 * @property {AreaRow[]} areas exact, in pixels, largest first.
 * @property {number} not_seen number of pixels outside the box.
 * @property {ClassInfo[] | null} classes what the ids mean, if they are not those of the page.
 */

/**
 * An image, and its size in pixels.
 *
 * @typedef {object} ViewerImage
 * @property {string} photo data URL of the image, made smaller if it is large.
 * @property {number} width of the whole image in pixels, as are all positions and areas.
 * @property {number} height
 */

/**
 * One result on its image.
 *
 * @typedef {object} ViewerVariant
 * @property {string} variant key of the variant: xxs, xs or s.
 *
 * @typedef {ResultValue & ViewerImage & ViewerVariant} ViewerValue
 */

/**
 * The result of one variant in a comparison.
 *
 * @typedef {object} VariantFacts
 * @property {string} key of the variant: xxs, xs or s.
 * @property {string} label name of the variant.
 * @property {number} parameters in millions.
 * @property {string} accuracy name and figure of the accuracy of the weights, or empty.
 * @property {number} elapsed_ms
 * @property {string} weights names the weights in two words.
 * @property {number} seen number of pixels inside the box.
 *
 * @typedef {ResultValue & VariantFacts} ComparedValue
 */

/**
 * Why a comparison lacks the result of a variant.
 *
 * @typedef {object} FailedValue
 * @property {string} key of the variant.
 * @property {string} label name of the variant.
 * @property {string} error a sentence.
 */

/**
 * How much of the image variants agree on.
 *
 * @typedef {object} AgreementRow
 * @property {string[]} variants keys of two or all variants.
 * @property {number} share fraction of the seen pixels to which all give the same class.
 */

/**
 * The results of a comparison that have come in so far.
 *
 * @typedef {object} ComparisonParts
 * @property {string} run identifies the comparison.
 * @property {(ComparedValue | FailedValue)[]} results smallest variant first.
 * @property {string} pending says which variant is being computed; empty after the last one.
 * @property {AgreementRow[]} agreement
 *
 * @typedef {ViewerImage & ComparisonParts} ComparisonValue
 */

/**
 * The first message of a live session.
 *
 * @typedef {object} LiveReady
 * @property {string} ready name of the variant.
 * @property {string} weights a sentence that says where the weights come from.
 * @property {string} precision what the network computes in: f32 or bf16.
 * @property {boolean} has_bf16 whether bf16 can be chosen.
 * @property {number} count of the classes.
 * @property {ClassInfo[] | null} classes what the ids mean, if they are not those of the page.
 */

/**
 * The last message of a live session that the server ends.
 *
 * @typedef {object} LiveError
 * @property {string} error a sentence.
 */

/**
 * The header of each live result; its logits follow as little-endian half floats.
 *
 * @typedef {object} LiveHeader
 * @property {number[]} classes ids of the classes whose logits follow, ascending.
 * @property {[h: number, w: number]} grid the shape of the logits of one class.
 * @property {AreaRow[]} areas as fractions of the frame, largest first.
 * @property {[raw: number, smoothed: number] | null} flicker the fraction of pixels whose class
 *     changed since the last result, before and after smoothing; null for the first result of a
 *     scene.
 */

/**
 * What the visitor has chosen: an example's name, or an upload's path on the server and the name of
 * the visitor's file. What Python makes of a frozen frame is new: the page then sends it back to be
 * segmented. Python refuses a picture that it cannot read.
 *
 * @typedef {{example?: string, path?: string, orig_name?: string, is_new?: boolean,
 *     is_refused?: boolean}} PickedPicture
 */

/**
 * One example that the loaded weights can do.
 *
 * @typedef {{name: string, description: string}} ExampleInfo
 */

/**
 * What the picker is mounted with.
 *
 * @typedef {ViewerProps<PickedPicture> & {examples?: ExampleInfo[]}} PickerProps
 */

export {};
