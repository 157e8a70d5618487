declare <16 x float> @llvm.masked.load.v16f32.p0(ptr, <16 x i1>, <16 x float>)
define void @kd080578cbbc22386f34f7897(ptr %a0, i64 %a1, i64 %a2) nounwind {
entry:
  %v19 = alloca <32 x float>
  %v20 = alloca <16 x float>
  %v1 = getelementptr i64, ptr %a0, i64 0
  %v2 = load i64, ptr %v1, align 8
  %v3 = getelementptr i64, ptr %a0, i64 1
  %v4 = load i64, ptr %v3, align 8
  %v5 = getelementptr i64, ptr %a0, i64 2
  %v6 = load i64, ptr %v5, align 8
  %v7 = getelementptr i64, ptr %a0, i64 3
  %v8 = load ptr, ptr %v7, align 8
  %v9 = getelementptr i64, ptr %a0, i64 4
  %v10 = load i64, ptr %v9, align 8
  %v11 = getelementptr i64, ptr %a0, i64 5
  %v12 = load i64, ptr %v11, align 8
  %v13 = getelementptr i64, ptr %a0, i64 6
  %v14 = load ptr, ptr %v13, align 8
  %v15 = getelementptr i64, ptr %a0, i64 7
  %v16 = load i64, ptr %v15, align 8
  %v17 = getelementptr i64, ptr %a0, i64 8
  %v18 = load i64, ptr %v17, align 8
  store <32 x float> splat (float 0x8000000000000000), ptr %v19
  store <16 x float> splat (float 0x8000000000000000), ptr %v20
  br label %head21
head21:
  %i21 = phi i64 [ 0, %entry ], [ %n21, %next21 ]
  %t21 = icmp slt i64 %i21, %v4
  br i1 %t21, label %body21, label %exit21
body21:
  %v22 = mul i64 %i21, %v10
  %v23 = getelementptr float, ptr %v8, i64 %v22
  %v24 = sub i64 %v6, 0
  %v25 = urem i64 %v24, 32
  %v26 = sub i64 %v6, %v25
  br label %head27
head27:
  %i27 = phi i64 [ 0, %body21 ], [ %n27, %next27 ]
  %t27 = icmp slt i64 %i27, %v26
  br i1 %t27, label %body27, label %exit27
body27:
  %v28 = getelementptr float, ptr %v23, i64 %i27
  %v29 = load <32 x float>, ptr %v28, align 4
  %v30 = load <32 x float>, ptr %v19
  %v31 = fadd <32 x float> %v30, %v29
  store <32 x float> %v31, ptr %v19
  br label %next27
next27:
  %n27 = add i64 %i27, 32
  br label %head27
exit27:
  br label %head32
head32:
  %i32 = phi i64 [ %v26, %exit27 ], [ %n32, %next32 ]
  %t32 = icmp slt i64 %i32, %v6
  br i1 %t32, label %body32, label %exit32
body32:
  %v33 = insertelement <16 x i64> poison, i64 %i32, i64 0
  %v34 = shufflevector <16 x i64> %v33, <16 x i64> %v33, <16 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %v35 = add <16 x i64> <i64 0, i64 1, i64 2, i64 3, i64 4, i64 5, i64 6, i64 7, i64 8, i64 9, i64 10, i64 11, i64 12, i64 13, i64 14, i64 15>, %v34
  %v36 = insertelement <16 x i64> poison, i64 %v6, i64 0
  %v37 = shufflevector <16 x i64> %v36, <16 x i64> %v36, <16 x i32> <i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0, i32 0>
  %v38 = icmp slt <16 x i64> %v35, %v37
  %v39 = getelementptr float, ptr %v23, i64 %i32
  %v40 = call <16 x float> @llvm.masked.load.v16f32.p0(ptr align 4 %v39, <16 x i1> %v38, <16 x float> zeroinitializer)
  %v41 = select <16 x i1> %v38, <16 x float> %v40, <16 x float> splat (float 0x8000000000000000)
  %v42 = load <16 x float>, ptr %v20
  %v43 = fadd <16 x float> %v42, %v41
  store <16 x float> %v43, ptr %v20
  br label %next32
next32:
  %n32 = add i64 %i32, 16
  br label %head32
exit32:
  br label %next21
next21:
  %n21 = add i64 %i21, 1
  br label %head21
exit21:
  %v44 = load <32 x float>, ptr %v19
  %v45 = shufflevector <32 x float> %v44, <32 x float> %v44, <16 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7, i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %v46 = load <16 x float>, ptr %v20
  %v47 = fadd <16 x float> %v46, %v45
  store <16 x float> %v47, ptr %v20
  %v48 = shufflevector <32 x float> %v44, <32 x float> %v44, <16 x i32> <i32 16, i32 17, i32 18, i32 19, i32 20, i32 21, i32 22, i32 23, i32 24, i32 25, i32 26, i32 27, i32 28, i32 29, i32 30, i32 31>
  %v49 = load <16 x float>, ptr %v20
  %v50 = fadd <16 x float> %v49, %v48
  store <16 x float> %v50, ptr %v20
  %v51 = load <16 x float>, ptr %v20
  %v52 = shufflevector <16 x float> %v51, <16 x float> %v51, <8 x i32> <i32 0, i32 1, i32 2, i32 3, i32 4, i32 5, i32 6, i32 7>
  %v53 = shufflevector <16 x float> %v51, <16 x float> %v51, <8 x i32> <i32 8, i32 9, i32 10, i32 11, i32 12, i32 13, i32 14, i32 15>
  %v54 = fadd <8 x float> %v52, %v53
  %v55 = shufflevector <8 x float> %v54, <8 x float> %v54, <4 x i32> <i32 0, i32 1, i32 2, i32 3>
  %v56 = shufflevector <8 x float> %v54, <8 x float> %v54, <4 x i32> <i32 4, i32 5, i32 6, i32 7>
  %v57 = fadd <4 x float> %v55, %v56
  %v58 = shufflevector <4 x float> %v57, <4 x float> %v57, <2 x i32> <i32 0, i32 1>
  %v59 = shufflevector <4 x float> %v57, <4 x float> %v57, <2 x i32> <i32 2, i32 3>
  %v60 = fadd <2 x float> %v58, %v59
  %v61 = extractelement <2 x float> %v60, i64 0
  %v62 = extractelement <2 x float> %v60, i64 1
  %v63 = fadd float %v61, %v62
  store float %v63, ptr %v14, align 4
  ret void
}
