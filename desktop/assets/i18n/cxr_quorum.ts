<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" sourcelanguage="en">
    <context>
        <name>AboutDialog</name>
        <message>
            <source>About CXR Quorum</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Four neural networks vote on each chest X-ray. A human decides.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Versions and licences</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Versions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Licences</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Actions</name>
        <message>
            <source>&amp;File</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Edit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Decide</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Move</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;View</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Models</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Help</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Open folder…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open &amp;files…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open &amp;recent</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Try with &amp;samples</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Include subfolders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Lists the images of all folders below the opened one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Look for new files</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Export CSV…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Export the listed ro&amp;ws as CSV…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Copy into &amp;class folders…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Save this view as &amp;PNG…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Save a summary repor&amp;t…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Close fol&amp;der</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Settin&amp;gs…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Quit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Undo</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Redo</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Label</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Label with class {number} and go on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Accept the &amp;consensus and go on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>U&amp;nsure and go on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Flag</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Co&amp;mment</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Take the decision back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Search</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Select &amp;all listed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Show &amp;only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Sa&amp;ve this filter…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Sho&amp;w all images</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Compare</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>B&amp;atch</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Scorecard</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Next image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Previous image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Ne&amp;xt unreviewed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Pre&amp;vious unreviewed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;First image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Last ima&amp;ge</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Heatmap</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>C&amp;ontour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Next &amp;model's map</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Map of the next c&amp;lass</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Window preset {number}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Reset &amp;window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Keep window and zoom for the next image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Invert</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Rotate by 90°</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Flip</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Fi&amp;t</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;100 %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Zoom i&amp;n</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Zoom o&amp;ut</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>M&amp;easure</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;DICOM facts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Blind first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>You label before the votes appear. Both are kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Theme</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>F&amp;ull screen</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Panel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Add a panel folder…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Label the whole &amp;folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Label the &amp;selection</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Pa&amp;use</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>S&amp;top and keep</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Retry all failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Look for &amp;near-duplicates</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Marks films that are nearly the same.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Manual</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Model &amp;report</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>How good the models are, and what they cannot do.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Shortcuts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;About CXR Quorum</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>BatchPage</name>
        <message>
            <source>Batch</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No folder open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Pause</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Resume</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Stop and keep</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Export CSV</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Agreement</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Copy list</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Retry all</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The models read a whole folder while you review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Votes by class, agreement, speed and every file that could not be read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Pause or stop at any time: what is finished is kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Images per second</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{done} of {total} images read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{folder}, {panel} panel. </source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{left} left</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{rate} images/s</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} out of distribution</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Started {time}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The models stopped; the reason is in the status bar.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The models are through; {count} could not be read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>All images are read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Paused. Finished images can be reviewed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Stopped. {count} images are kept; Resume goes on with the rest.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Finished images can be reviewed now; stopping keeps them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>All answers are from an earlier day; nothing had to run.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The curve begins when the models run.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The curve begins in a moment.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The run was too short for a curve.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Failed, {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The other images are unaffected.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Every file that the models came to could be read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Review 1 disagreement</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Review {count} disagreements</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>None</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Votes by class: hidden while you read blind</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Votes by class</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Fleiss kappa {value}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Dissents alone: </source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>All agree</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>One dissents</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Tie</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Two groups</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} answers</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Runs on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>not loaded yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Fallback</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>none</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Rule</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Panel version</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Models</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>CalibrationChart</name>
        <message>
            <source>Calibration</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>CaseFilter</name>
        <message>
            <source>Folder order</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Name</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Disagreement first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Agreement first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Most uncertain first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Least confident first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Unlike the training images first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Like none of the classes first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your label</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Flagged first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Decided last first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Waiting, read, failed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Near-duplicates together</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Save this filter</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Forget a saved filter</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{name}, mean</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Probability</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No image matches this filter.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No images are in this folder.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>CaseRow</name>
        <message>
            <source>Not read: {reason}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your label first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Label first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Waiting for models</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Waiting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>out of distribution</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>has a near-duplicate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>labelled otherwise than its near-duplicate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>flagged</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{label} {agreement} of {models}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{verdict}, OOD</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>OOD, split</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>OOD, {label}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{label} {agreement}/{models}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>you: {label}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>you: unsure</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>CellHeader</name>
        <message>
            <source>{model} says {name} {figure}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>says</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ClassFoldersDialog</name>
        <message>
            <source>Copy into class folders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your label; open images are left out</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your label, else the consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Class of an image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Copies</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Hard links: no space, same disk only</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Symbolic links: break when the originals move</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Copies or links</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Target folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Browse…</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Class</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Files</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Target</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Write</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>One folder a class, ready to train from. Nothing is overwritten; DICOM files keep their patient tags.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>CommentField</name>
        <message>
            <source>Comment</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Compare</name>
        <message>
            <source>Fewer than two maps to compare.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No two models look at the same places.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The models look at partly the same places.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>All models look at the same places.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{first} and {second} look at the same places.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{model} does not.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{first} and {second}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{models} do not.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>CompareCell</name>
        <message>
            <source>Radiograph with the map of {model}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ComparePanel</name>
        <message>
            <source>Opacity</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Overlap of the maps</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Shows where a model looked, not where disease is.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{needed} of {models} maps above half</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>CompareView</name>
        <message>
            <source>Heatmap class</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Linked</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Zoom, window and cursor are the same in all images</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Dashed line: where the majority of the maps is above half</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Difference</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Where each model looks and the others do not</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Predicted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Hidden until you label</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Waiting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{percent} % at the border</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{needed} of {models} maps above half</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>More than the others, {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{name}: no positive evidence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Map for {name}, p {figure}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ConfusionMatrix</name>
        <message>
            <source>Confusion matrix, rows: you</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Recall</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Precision</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Controller</name>
        <message>
            <source>No other unreviewed image is listed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No images are in this folder.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Subfolders are left out; File, Include subfolders.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>DecisionButton</name>
        <message>
            <source>Your choice</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Key {key}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>DecisionController</name>
        <message>
            <source>Nothing to undo.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Nothing to redo.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your label is kept. Press it again to confirm, or another one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>A step on many images is still being saved, so this was not done. Wait a moment.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>That was the last unreviewed image of this list.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>This is the last image of the list.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Saving {written} of {count} decisions; other decisions wait for it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Nothing changed: these images are so already.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} images changed.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} images changed. Undo takes all of it back.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>label {value}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>accepted {value}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>unsure</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>flag</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>flag taken away</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>comment</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>decision taken back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{step}, {count} images</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>DecisionPanel</name>
        <message>
            <source>Your decision</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Saves and moves on</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Unsure</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Flag</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Next unreviewed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Undo: {text}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Device</name>
        <message>
            <source>CPU, 1 thread</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>CPU, {count} threads</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>DicomPanel</name>
        <message>
            <source>DICOM facts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Facts of the file</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Stay on this screen; no export has them.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{bits} bit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>View</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Age</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Sex</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Study date</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Device</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Format</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Spacing</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>DuplicateNotices</name>
        <message>
            <source>Comparing films, {done} of {total} read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No near-duplicates among {compared} films.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} near-duplicates found.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{name} is nearly the same film as {other}, which is {label}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Show them</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Duplicates</name>
        <message>
            <source>You said {own}, but {other} is nearly the same film and is {label}. Look at both.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Labels differ</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{names} and {more} more</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Nearly the same film as {names}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Decided there: {labels}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Near-duplicate</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>unsure</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Exporter</name>
        <message>
            <source>Export CSV</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>CSV table (*.csv)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Save this view</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>PNG image (*.png)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Save a summary report</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>HTML page (*.html)</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} rows are in {name} in {folder}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{left} images are left out because the models have not come to them yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The view is in {name} in {folder}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The report is in {name} in {folder}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} files are in {folder}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} were refused: {reason}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>FailureTable</name>
        <message>
            <source>Failed files</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>FilmBadges</name>
        <message>
            <source>File changed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The file is not the one that was decided. Look at it again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Burnt-in text</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>May name a patient. Check before you export.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>FilterBar</name>
        <message>
            <source>All</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Unreviewed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Disagree</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Flagged</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Failed</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Filters</name>
        <message>
            <source>To review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Models disagree</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Disagreement and safety sample</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Only {model} says so</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Uncertain</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Out of distribution</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>None of the classes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>You against the consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Changed after the votes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Flagged</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Unsure</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>With a comment</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Near-duplicates</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Near-duplicates decided differently</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>File changed since the decision</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Failed</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>HeatmapControls</name>
        <message>
            <source>Heatmap</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Shows where a model looked, not where disease is.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Heatmap class</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Opacity</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Threshold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Below this share of the map's maximum nothing is drawn.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Predicted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The class that each model votes for</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Histogram</name>
        <message>
            <source>Grey values and window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Width {width}, level {level}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ImageView</name>
        <message>
            <source>{width} × {height}, {bits} bit</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>W {width}  L {level}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Zoom {percent} %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Where the models differ</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{subject}: no positive evidence</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{subject}, lines at {levels} %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{subject}, {percent} %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Radiograph</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Bare image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Loading {name}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No image</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Intervals</name>
        <message>
            <source>Accuracy with 95 % interval</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Accuracy</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Interval</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Images</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>KappaMatrix</name>
        <message>
            <source>Kappa of each pair</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>KeyHint</name>
        <message>
            <source>Hold {key} for the bare image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Hold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>for the bare image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>bare image</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Legend</name>
        <message>
            <source>low</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>high</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Heat colours, from low to high</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ListPlaceholder</name>
        <message>
            <source>Show all images</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>MainWindow</name>
        <message>
            <source>Show in folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Follow the &amp;system</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Dark</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Light</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Models not loaded</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Label {name} and go on</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ManualPage</name>
        <message>
            <source>Page of the manual</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ManualWindow</name>
        <message>
            <source>Manual</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Pages of the manual</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Back</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Find on this page</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>MeanProbability</name>
        <message>
            <source>Mean probability</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Measure</name>
        <message>
            <source>{pixels} px</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{length} mm</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{length} at the detector</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ModelRow</name>
        <message>
            <source>Try again</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Running</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Waiting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Hidden until you label.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>no
map</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No positive evidence for this class, so nothing to draw.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The map shows where a model looked, not where disease is.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source> (called from {point})</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ModelRows</name>
        <message>
            <source>Answers of the models</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Opener</name>
        <message>
            <source>Add a panel folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open a folder of chest X-rays</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Radiographs ({patterns})</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open chest X-rays</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Drawing the samples.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Samples: drawings, and one public film. Votes on drawings mean nothing.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{path} does not exist. Check the path.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Files and folders were dropped together; only the files were opened.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No panel of models is installed, so nothing can vote. Add a panel folder in the Models menu.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The folder {path} is no longer there.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>OverlayBar</name>
        <message>
            <source>Scroll</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>PercentSlider</name>
        <message>
            <source>{percent} %</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Preferences</name>
        <message>
            <source>Today, {time}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ProgressBar</name>
        <message>
            <source>Progress</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ProgressNotices</name>
        <message>
            <source>The models have not voted on this image yet. Label it yourself or wait.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The film looks like none of the classes, so the vote is not accepted with one key. Label it yourself.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No consensus, so Enter did nothing. Majority needs {needed} of {models}.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>RateCurve</name>
        <message>
            <source>Images per second</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>now {rate} images/s</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>mean {rate}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ReviewPage</name>
        <message>
            <source>Space</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{number} of {count}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>not in this list</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{name} could not be read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>For {count} selected images</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Then the votes appear</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Saves at once</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Saves and moves on</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ScorecardPage</name>
        <message>
            <source>Scorecard</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Reference</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>All labels</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Own labels</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Blind labels</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Save report</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Model</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Confusion matrix</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No folder open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Counting your decisions</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The figures are drawn again and again to know how sure they are.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No decided images yet</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>You and the models on 1 decided image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>You and the models on {count} decided images</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your decisions are the reference: agreement with you, not the truth.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} accepted from the consensus.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Accuracy, 95 % interval</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Kappa, each pair</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Cohen, unweighted</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Calibration</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Calibration error</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Brier score</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your labels measure the models</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Accuracy of each model and of the consensus, with its uncertainty.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Kappa of each pair, confusion and calibration, counted on this folder.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The first figures come with the first label; some dozens make them firm.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Review the next image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>You, blind</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Consensus leaves 1 image without a majority out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Consensus leaves {count} images without a majority out.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Blind labels: {read}; you changed {flips} after seeing the votes, {towards} towards the consensus. “You, blind” is your agreement with the consensus before seeing it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>You</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>rows: you, columns: {model}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Below the line: too sure of itself.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Kappa needs labels of more than one class.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>All models are equally close to you: {high}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Closest to you: {near}, {high}. Furthest: {far}, {low}.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>SearchField</name>
        <message>
            <source>Search</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Name, label or comment; or a query:
is:flagged, -is:failed, consensus:covid, only:resnet50,
agreement&lt;4, entropy&gt;0.8, p.covid&gt;0.5, a OR b</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Search name, label or comment</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>SegmentedControl</name>
        <message>
            <source>{choice}, {number} of {count}</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Settings</name>
        <message>
            <source>As the desktop</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Dark</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Light</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Stay</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Next image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Next unreviewed image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The file's own</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Full range</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>1–99 %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>5–95 %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Window and level</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Move the image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Zoom</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Next and previous image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Colour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Contour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The fastest that works</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The settings in {path} cannot be read ({reason}). The defaults are used; check the file's permissions.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The settings were not saved because {folder} cannot be created ({reason}). They hold for this session only.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The settings in {path} are damaged. The defaults are used for this session.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The settings were damaged and set aside as {name}. The defaults are used; change what you need again.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The setting {name} in the settings file was not valid and its default is used.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The setting {name} cannot be {value}: it {what}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Appearance</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Theme</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Dark keeps the eyes adapted to the film; the area around the film is black in both.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Text size</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Size of all texts, on top of the desktop's own scaling.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Reading</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your name</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Stored with each decision and written to exports. Empty stores no name.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Label before the votes are shown</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The votes, heatmaps and filters on them stay hidden until you have given your own label. Both are kept, and changes afterwards are counted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>After a label</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Where to go after a label or an accepted consensus.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Include subfolders</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Lists the images of all folders below the opened one.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Keep the grey window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The next image is shown with the same window/level instead of its own. Useful within one series, misleading between scanners.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Keep zoom and position</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The next image is shown at the same place and zoom instead of fitted.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Grey window at first sight</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The file's own window where it has one, the full range, or the range without the darkest and brightest 1 or 5 % of the pixels.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Show DICOM facts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>View, age, sex and date beside the image. They are never exported.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Left drag</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>What dragging with the left mouse button does.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Right drag</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>What dragging with the right mouse button does.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Wheel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>What the wheel does over the image.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Heatmap</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Show the heatmap</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Shows at once where a model looked. It is not a localisation of disease; many readers look at the bare film first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Opacity</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>How much the map covers the film.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Threshold</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Parts of the map below this share of its maximum are left clear.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Style</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Colour covers the film, a contour leaves it visible.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Models</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Panel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The set of models that votes when a folder is opened.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Panels of your own</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Folders with a manifest.json and its models.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Device</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Where the models run. If the wish cannot be met, the status bar says why and the CPU is used.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Run the models when a folder is opened</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Begins with the visible and the next images. Off waits for the command.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Keep heatmaps</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Reopening a folder shows the maps without running the models; costs about 5 MB for each 1,000 images in the app's own data folder.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Look for near-duplicates</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>When the models are through, films that are nearly the same are marked in the list. Runs in the background; off waits for the command.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Safety</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Safety sample</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Share of the unanimous, confident normals that the filters find as is:safety, as a check on what would otherwise never be looked at. The same images in every session; 0 switches it off.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Confident from</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Mean probability from which a unanimous normal counts as confident.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>SettingsDialog</name>
        <message>
            <source>Settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Groups of settings</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Restore defaults</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ShareBars</name>
        <message>
            <source>Agreement of the models</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Shortcuts</name>
        <message>
            <source>Enter</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ShortcutsDialog</name>
        <message>
            <source>Shortcuts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Search a command or a key</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Search shortcuts</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Commands and their keys</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>New key</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Default</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>All defaults</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Choose a command and press its new key. Letters do nothing while you type.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{key} belongs to “{command}”. Give that another key first.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{key} now does: {command}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{command} has no key now.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Command</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Keys</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>StartPage</name>
        <message>
            <source>Start</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open folder</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Open files</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Try with samples</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Clear list</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Recent</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>StartSide</name>
        <message>
            <source>Blind first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Panel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No panel is installed. Add a panel folder in the Models menu.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Models</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Checksums are verified whenever a model is loaded.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>You label before the votes appear. Both are kept.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Review</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>StatusBar</name>
        <message>
            <source>Progress</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Research use. Not a diagnosis.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No folder open</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Listing, {count} images so far</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>of {total} images</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Paused</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Stopped</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Models are working</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Models are loading</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{rate} images/s, {left} left</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>of {total} reviewed</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{pace} images an hour, {left} left</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ToolBar</name>
        <message>
            <source>Window: drag right for wider, up for brighter</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Move the image</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Zoom: drag up or down</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Measure a distance</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Window presets</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>100 %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Heatmap</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Contour</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>2 × 2</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Enter width and level…</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>TopBar</name>
        <message>
            <source>Menus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Panel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Blind first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Export</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>%s panel</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Review</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Compare</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Batch</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Scorecard</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>Verdict</name>
        <message>
            <source>Not read</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Your label first</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The votes appear after you label.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{keys} or {last}</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The votes appear after you press {keys}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Waiting</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>The models have not read this image yet.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No consensus</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{agreeing} of {models}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{key} accepts.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Majority needs {needed} of {models}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{count} no answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{model} gave no answer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{model} says {name}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Unlike the training images, so the votes may mean little.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Score {score}; 95 % of the validation images stay below 1.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Out of distribution</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Looks like something that is none of the classes, so the vote may be the nearest wrong one and Enter does not accept it.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Score {score} of 1.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>None of these</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No lungs found</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>No lungs were found, so this may be no chest film and the votes mean little.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>{percent} % of the heatmap of {model} lies at the border.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>With the lungs covered, {model} kept {percent} % of its votes for {label}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Votes for {label} that stayed when lungs were covered: {models}.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>So the vote alone does not show that the lungs were read.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Stays without lungs</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Compare with the lungs covered.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Shortcut alarm</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>VerdictPanel</name>
        <message>
            <source>Reason</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Verdict</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Not accepted: it looks like none of the classes. Label it yourself.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Nothing to accept: no majority. Label it yourself.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>ViewActions</name>
        <message>
            <source>Facts of the file stand below the whole list; here only its rail is shown.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>VoteStrip</name>
        <message>
            <source>Votes hidden until you label</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Waiting for the models</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Image not read, no votes</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>no answer</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Votes</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>WindowEntry</name>
        <message>
            <source>Window</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Window width</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Window level</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Width</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>&amp;Level</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>In stored grey values of this film.</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>WindowPresets</name>
        <message>
            <source>Full range</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>1–99 %</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>5–95 %</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>_DropZone</name>
        <message>
            <source>DICOM, PNG, TIFF and JPEG. Nothing leaves this computer.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Four models vote on each image. You decide.</source>
            <translation type="unfinished" />
        </message>
        <message>
            <source>Drop a folder of chest X-rays</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>_Header</name>
        <message>
            <source>Order of the list</source>
            <translation type="unfinished" />
        </message>
    </context>
    <context>
        <name>_Rows</name>
        <message>
            <source>Images</source>
            <translation type="unfinished" />
        </message>
    </context>
</TS>
